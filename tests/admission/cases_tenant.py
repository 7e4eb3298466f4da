"""What is refused of users, keys and buckets: what they may be, and what of them is fixed."""

from __future__ import annotations

from admission.asks import Case, change, create
from admission.scene import CLERK, NS, key, user

KEY = ("AccessKey", "key", NS)
APP = ("StorageUser", "app", NS)
SHUT = "Change it back, or make a new"

GRANTS = [
    Case(
        "permission-grant",
        create(key(permission="Read")).by("bob"),
        "`spec.permission` 'Read' may not be granted by 'bob' in namespace 'team-acme'. Ask an administrator of the "
        "Tenant, or to be given the verb `grant` on permissions.storekeeper.dev/Read.",
        (create(key(permission="Write")).by("bob"), create(key(permission="Read")).by("tina")),
    ),
    Case(
        "role-grant",
        create(user("new", "team-admin", "administrator", role="Administrator")).by("lea"),
        "`spec.role` 'Administrator' may not be granted by 'lea' in namespace 'team-admin'. Ask a global "
        "administrator, or to be given the verb `grant` on roles.storekeeper.dev/Administrator.",
        (
            create(user("new", "team-admin", "administrator", role="TenantAdministrator")).by("lea"),
            create(user("new", "team-admin", "administrator", role="Administrator")),
        ),
    ),
    Case(
        "role-grant",
        change("StorageUser", "fay", "team-admin", role="Administrator").by("lea"),
        "`spec.role` 'Administrator' may not be granted by 'lea' in namespace 'team-admin'.",
        (change("StorageUser", "fay", "team-admin", role="Backup").by("lea"),),
    ),
    Case(
        "role-tenant",
        create(user("new", role="Administrator")),
        "Role Administrator is only for users of Tenant 'administrator', and this one is of Tenant 'acme'. Choose "
        "another `spec.role`.",
        (create(user("new", role="TenantAdministrator")),),
    ),
]
TENANTS = [
    Case(
        "tenant-use",
        create(user("new", "team-none")),
        "Namespace 'team-none' belongs to no Tenant. Ask who may `assign` Tenant 'acme' to label the namespace "
        "storekeeper.dev/tenant=acme.",
        (create(user("new")), create(user("new")).by("tina")),
    ),
    Case(
        "tenant-use",
        create(user("new", "team-other", "acme")),
        "Namespace 'team-other' belongs to Tenant 'other', as its label storekeeper.dev/tenant says, and may not have "
        "objects of Tenant 'acme'.",
        (create(user("new", "team-other", "other")),),
    ),
    Case(
        "tenant-use",
        create(user("new")).by(CLERK),
        f"Tenant 'acme' may not be used by '{CLERK}' in namespace 'team-acme'. Ask an administrator of the Tenant, or "
        "to be given the verb `use` on tenants.storekeeper.dev/acme.",
        (change(*APP, description="of the clerk").by(CLERK),),
    ),
    Case(
        "tenant-namespace",
        create(user("new", "team-stray")),
        "Tenant 'acme' does not admit namespace 'team-stray'. Ask the owner of the Tenant to add it to "
        "`spec.allowedNamespaces`.",
        # A Tenant that is not there yet is waited for by the controller.
        (create(user("new")),),
    ),
    Case(
        "tenant-namespace",
        create(user("new", "team-other-2", "other")),
        "Tenant 'other' does not admit namespace 'team-other-2'.",
        (create(user("new", "team-other", "other")),),
    ),
    Case(
        "tenant-permission",
        create(key(permission="Full")),
        "Tenant 'acme' allows Read and Write; this key asks for Full. Ask the owner of the Tenant to add it to "
        "`spec.allowedPermissions`.",
        # A Tenant that lists nothing allows all four.
        (create(key(permission="Read")), create(key("new", "team-other", permission="Full"))),
    ),
    Case(
        "tenant-permission",
        create(key("new", "team-none")),
        "Namespace 'team-none' belongs to no Tenant. Ask who may `assign` a Tenant to label the namespace "
        "storekeeper.dev/tenant=<tenant>.",
    ),
    Case(
        "role-permission",
        create(key(user="viewer", permission="Write")),
        "StorageUser 'viewer' has role ReadOnly, whose keys may be Read only; this key asks for Write. Ask who manages "
        "the users of the Tenant to change `spec.role`.",
        (create(key(user="viewer", permission="Read")), create(key(user="nobody-yet", permission="Write"))),
    ),
    Case(
        "role-permission",
        create(key(user="saver", permission="Read")),
        "StorageUser 'saver' has role Backup, whose keys may be Write only; this key asks for Read.",
        (create(key(user="saver", permission="Write")),),
    ),
    Case(
        "storageuser-account",
        create(user("new", "team-other", "other", accountRef={"name": "acme-s3"})),
        "StorageAccount 'acme-s3' is assigned to Tenant 'acme' and may not be used by Tenant 'other'. Name another "
        "account in `spec.accountRef`.",
        (create(user("new", accountRef={"name": "acme-s3"})), create(user("new", accountRef={"name": "main"}))),
    ),
    Case(
        "accesskey-secret",
        create(key(secret={"type": "kubernetes.io/service-account-token"})),
        "`spec.secret.type` may not be 'kubernetes.io/service-account-token': types of kubernetes.io have a meaning of "
        "their own. Leave it out, or choose Opaque or a type of another domain.",
        (create(key(secret={"type": "servicebinding.io/s3"})), create(key(secret={"type": "Opaque"}))),
    ),
]
IDENTITIES = [
    Case(
        "accesskey-identity",
        change(*KEY, userRef={"name": "viewer"}),
        f"`spec.userRef` was 'app' and must not change to 'viewer'. {SHUT} AccessKey.",
        # Nothing was made of the other: a mistaken name may be corrected.
        (change(*KEY, description="new"), change("AccessKey", "fresh", NS, userRef={"name": "viewer"})),
    ),
    Case(
        "accesskey-identity",
        change(*KEY, permission="Write"),
        f"`spec.permission` was 'Read' and must not change to 'Write'. {SHUT} AccessKey.",
        (change("AccessKey", "fresh", NS, permission="Write"),),
    ),
    Case(
        "accesskey-identity",
        change(*KEY, bucketRefs=[{"name": "data"}, {"name": "kept"}]),
        f"`spec.bucketRefs` was absent and must not change to 'data', 'kept'. {SHUT} AccessKey.",
        (change("AccessKey", "fresh", NS, bucketRefs=[{"name": "data"}]),),
    ),
    Case(
        "accesskey-identity",
        change(*KEY, secret={"name": "elsewhere"}),
        f"`spec.secret.name` was 'key' and must not change to 'elsewhere'. {SHUT} AccessKey.",
        # To write out what it is by default is no change.
        (change(*KEY, secret={"name": "key"}),),
    ),
    Case(
        "storageuser-identity",
        change(*APP, login="other"),
        f"`spec.login` was 'team-acme_app' and must not change to 'other'. {SHUT} StorageUser.",
        (change(*APP, login="team-acme_app"), change("StorageUser", "viewer", NS, login="other")),
    ),
    Case(
        "storageuser-identity",
        change(*APP, accountRef={"name": "spare"}),
        f"`spec.accountRef` was 'main' and must not change to 'spare'. {SHUT} StorageUser.",
        (change(*APP, accountRef={"name": "main"}),),
    ),
    Case(
        "bucket-identity",
        change("Bucket", "data", NS, userRef={"name": "viewer"}),
        f"`spec.userRef` was 'app' and must not change to 'viewer'. {SHUT} Bucket.",
        (change("Bucket", "unmade", NS, userRef={"name": "viewer"}),),
    ),
    Case(
        "bucket-identity",
        change("Bucket", "data", NS, name="other-data"),
        f"`spec.name` was 'data' and must not change to 'other-data'. {SHUT} Bucket.",
        (change("Bucket", "data", NS, name="data"),),
    ),
    Case(
        "bucket-identity",
        change("Bucket", "locked", NS, objectLock=None),
        "Bucket 'locked' was made with object lock, and `spec.objectLock` must not be removed. Put it back, or make a "
        "new Bucket.",
        (change("Bucket", "locked", NS, objectLock={"days": 2}),),
    ),
    Case(
        "bucket-identity",
        change("Bucket", "data", NS, objectLock={"mode": "Governance", "days": 1}),
        "Bucket 'data' was made without object lock, and `spec.objectLock` can only be asked for at creation. Remove "
        "it, or make a new Bucket.",
        (change("Bucket", "unmade", NS, objectLock={"mode": "Governance", "days": 1}),),
    ),
]
CASES = [*GRANTS, *TENANTS, *IDENTITIES]
