"""Installed, used, upgraded, taken away and installed again, by helm on a real control plane."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chart.documented import script, typed
from chart.helm import NAMESPACE, WITHOUT_POLICIES, Failed, settings
from chart.site import ACCOUNT, Site, Team
from harness import paths
from harness.kube import KINDS
from harness.process import Died
from harness.rights import EVERYWHERE, Right, documented, granted, resources
from harness.running import started
from harness.waiting import until

USERNAME = f"system:serviceaccount:{NAMESPACE}:storekeeper"
PAGE = paths.REPOSITORY / "docs" / "rbac.md"
CRDS = [f"{plural}.storekeeper.dev" for prefix, plural, _ in KINDS.values() if "storekeeper.dev" in prefix]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(Site(tmp_path_factory.mktemp("site"))) as made:
        yield made


@pytest.fixture
def installed(site: Site) -> Iterator[Site]:
    """As most people install it, with an account."""
    with site.cluster.installed(*site.settings()):
        yield site


def team_of(site: Site, name: str) -> Team:
    """A team whose key works. The API server learns of policies, and of kinds that they are about, a moment later."""
    team = Team(site, name)
    team.arrive()
    return team


def refused_to_operator(site: Site, since: int) -> list[str]:
    return [
        f"{call.verb} {call.target} {call.namespace}/{call.name}"
        for call in site.audit.calls(since, USERNAME)
        if call.code == 403
    ]


def test_under_the_installed_account_and_nothing_more_the_main_job_works(installed: Site) -> None:
    since = installed.audit.position()
    operator = installed.operator()
    team = team_of(installed, "main-job")
    assert len(team.keys()) == 1
    assert refused_to_operator(installed, since) == []
    team.leave()
    assert team.keys() == []
    assert operator.stop() == 0


def test_without_the_rights_the_operator_does_not_start(site: Site) -> None:
    """So what the others show is the chart's doing."""
    with site.cluster.installed(*site.settings(rbac__create=False)):
        with pytest.raises(Died, match="failed to read the namespace 'kube-system'"):
            site.operator("without-rights")


def test_an_upgrade_and_the_way_back_touch_no_key(installed: Site) -> None:
    operator = installed.operator()
    team = team_of(installed, "upgraded")
    before, keys = team.objects(), team.keys()
    operator.stop()
    installed.cluster.helm.upgrade(
        "--reset-then-reuse-values", *settings(operator__concurrency=7, policies__mode="Warn")
    )
    operator = installed.operator("upgraded")
    assert "--concurrency=7" in operator.process.command
    team.ready()
    team.use()
    assert (team.objects(), team.keys()) == (before, keys)
    operator.stop()
    installed.cluster.helm.run("rollback", "storekeeper", "1", "--namespace", NAMESPACE)
    operator = installed.operator("rolled-back")
    assert "--concurrency=64" in operator.process.command
    team.ready()
    assert (team.objects(), team.keys()) == (before, keys)
    team.leave()
    operator.stop()


def test_what_is_taken_away_loses_nothing_and_a_later_one_goes_on(site: Site) -> None:
    helm, kube = site.cluster.helm, site.kube
    helm.install(*site.settings())
    operator = site.operator()
    team = team_of(site, "kept")
    before, keys = team.objects(), team.keys()

    began = time.monotonic()
    said = helm.uninstall()
    assert time.monotonic() - began < 30
    assert f"[StorageAccount] {ACCOUNT}" in said, "helm must say what it keeps"
    operator.stop()
    assert team.objects() == before
    for name in CRDS:
        assert "deletionTimestamp" not in kube.get("CustomResourceDefinition", name)["metadata"]
    left = kube.kubectl(
        "get", "all,serviceaccount,role,networkpolicy,poddisruptionbudget", "-n", NAMESPACE, "-o", "name"
    )
    assert [one for one in left.split() if one != "serviceaccount/default"] == []
    assert kube.kubectl("get", "validatingadmissionpolicy,mutatingadmissionpolicy", "-o", "name") == ""
    team.use()

    # Nobody is there to revoke it, so the object waits, and nothing is lost.
    kube.delete("AccessKey", "key", "kept")
    assert "deletionTimestamp" in kube.get("AccessKey", "key", "kept")["metadata"]
    assert team.keys() == keys

    helm.install(*site.settings())
    operator = site.operator("again")
    kube.wait_gone("AccessKey", "key", "kept")
    until(lambda: team.keys() == [], "the key to be revoked")
    team.leave()
    operator.stop()
    helm.uninstall()


def test_what_stayed_is_used_again_as_it_is(site: Site) -> None:
    helm = site.cluster.helm
    helm.install(*site.settings())
    operator = site.operator()
    team = team_of(site, "again")
    before, keys = team.objects(), team.keys()
    operator.stop()
    helm.uninstall()
    helm.install(*site.settings())
    operator = site.operator("afterwards")
    team.ready()
    team.use()
    assert (team.objects(), team.keys()) == (before, keys)
    team.leave()
    operator.stop()
    helm.uninstall()


def test_another_release_takes_over_what_stayed_only_when_told_to(site: Site) -> None:
    helm = site.cluster.helm
    with site.cluster.installed(*site.settings(**WITHOUT_POLICIES)):
        before = site.kube.get("StorageAccount", ACCOUNT)["metadata"]["uid"]
    with pytest.raises(Failed, match=r'StorageAccount "main" .*exists and cannot be imported'):
        helm.install(*site.settings(**WITHOUT_POLICIES), release="other")
    helm.install(*site.settings(**WITHOUT_POLICIES), "--take-ownership", release="other")
    assert site.kube.get("StorageAccount", ACCOUNT)["metadata"]["uid"] == before
    helm.uninstall("other")
    helm.install(*site.settings(**WITHOUT_POLICIES), "--take-ownership")
    helm.uninstall()


def test_for_some_namespaces_the_main_job_works_in_those_and_nothing_is_allowed_elsewhere(site: Site) -> None:
    for name in ("looked-after", "elsewhere"):
        site.cluster.namespace(name, **{"storekeeper.dev/tenant": name})
    team, other = Team(site, "looked-after"), Team(site, "elsewhere")
    with site.cluster.installed(*site.settings(watchNamespaces=["looked-after"])):
        since = site.audit.position()
        operator = site.operator()
        other.apply()
        team.apply()
        team.ready()
        team.use()
        assert refused_to_operator(site, since) == []
        assert site.kube.get("StorageUser", "app", "elsewhere")["status"]["observedGeneration"] == -1
        assert_rights(site, "looked-after", "elsewhere")
        team.leave()
        operator.stop()
    # Whoever looks after all namespaces goes on there.
    with site.cluster.installed(*site.settings()):
        operator = site.operator("everywhere")
        other.ready()
        other.leave()
        operator.stop()


def assert_rights(site: Site, own: str, other: str) -> None:
    """Exactly the documented ones: in the namespace, for what has none, and in the release's namespace."""
    plane = site.cluster.plane
    operator = type(site.kube)(
        plane.endpoint,
        site.kube.token_for("storekeeper", NAMESPACE),
        plane.layout.tools / "kubectl",
        site.cluster.folder,
    )
    pages, _ = documented(PAGE, NAMESPACE)
    concerned = {(right.group, right.resource) for right in pages}
    everything = [one for one in resources(site.kube) if one in concerned]
    allowed = granted(operator, (own, other, NAMESPACE, "default"), everything)
    everywhere = {"storageaccounts", "storageaccounts/status", "tenants", "tenants/status", "namespaces"}
    everywhere |= {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
    wanted = {right for right in pages if right.where == NAMESPACE or right.resource in everywhere}
    wanted |= {
        Right(own, right.group, right.resource, right.verb)
        for right in pages
        if right.where == EVERYWHERE and right.resource not in everywhere
    }
    wanted |= {Right(NAMESPACE, "", "secrets", "get"), Right("default", "events.k8s.io", "events", "create")}
    assert allowed == wanted, f"too much: {allowed - wanted}; too little: {wanted - allowed}"


def test_everything_can_be_removed_for_good_as_documented(site: Site, tmp_path: Path) -> None:
    site.cluster.helm.install(*site.settings())
    operator = site.operator()
    team = team_of(site, "for-good")
    typed(site.cluster, "set -x\n" + script("helm uninstall"), tmp_path)
    assert team.keys() == []
    assert "storekeeper.dev" not in site.kube.kubectl("get", "crd", "-o", "name")
    assert "storekeeper" not in site.kube.kubectl("get", "clusterrole,clusterrolebinding", "-o", "name")
    operator.stop()


@pytest.mark.parametrize("mode", ["Deny", "Warn", "Off"])
def test_the_policies_do_what_the_mode_says(site: Site, mode: str) -> None:
    user = '{"apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser", "metadata": {"name": "app"},'
    user += ' "spec": {"tenantRef": {"name": "nobody"}}}'

    def answer() -> str:
        try:
            told = site.kube.warnings("apply", "--dry-run=server", "-n", "default", "-f", "-", stdin=user)
        except AssertionError as refused:
            return (
                "Deny" if "denied request: Namespace 'default' belongs to no Tenant" in str(refused) else str(refused)
            )
        return "Warn" if "belongs to no Tenant" in told else "Off"

    with site.cluster.installed(*site.settings(policies__mode=mode)):
        # Policies take effect a moment after they are written, and let go a moment after they are gone.
        until(lambda: answer() == mode, f"the policies to be at {mode}", seen=answer)
