# The image of operator and management server: one binary and the libraries that it needs, no shell, no package manager.
#
#     docker build --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --tag REGISTRY/storekeeper:0.1.0 .
#
# Nothing but the build image comes from elsewhere. To have the same image from the same source, pin it by its digest and
# have BuildKit set the times of the layers; docs/install.md has the commands.
ARG RUST_IMAGE=rust:1.95.0-bookworm

FROM ${RUST_IMAGE} AS build
ARG SOURCE_DATE_EPOCH=0
# Paths of the machine that builds are in no message and no binary.
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} \
    RUSTFLAGS="--remap-path-prefix=/src=storekeeper --remap-path-prefix=/usr/local/cargo=cargo"
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
# The kubectl plugin knows the roles by their manifests.
COPY deploy deploy
RUN cargo build --locked --release --bin storekeeper
COPY LICENSE ./
COPY scripts/rootfs scripts/rootfs
RUN scripts/rootfs target/release/storekeeper /rootfs

FROM scratch
COPY --from=build /rootfs /
LABEL org.opencontainers.image.title="storekeeper" \
      org.opencontainers.image.description="Operator for object-storage tenants, users, access keys and buckets, and its management server" \
      org.opencontainers.image.licenses="Apache-2.0"
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/storekeeper"]
