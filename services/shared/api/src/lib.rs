//! The contracts of Fenghuo as Rust types, generated from `proto/` at build time.
//!
//! Nothing is written by hand here but this list of packages, and how everyone writes times and snapshots.

#![allow(missing_docs, unreachable_pub, clippy::all)] // Generated code; the documentation stands in the proto files.

pub mod snapshot;
pub mod time;

/// All contracts as a serialised `FileDescriptorSet`, for reflection and for tests that list every RPC.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fenghuo.fds"));

pub mod common {
    pub mod v1 {
        tonic::include_proto!("fenghuo.common.v1");
    }
}
pub mod partner {
    pub mod v1 {
        tonic::include_proto!("fenghuo.partner.v1");
    }
}
pub mod incident {
    pub mod v1 {
        tonic::include_proto!("fenghuo.incident.v1");
    }
}
pub mod notification {
    pub mod v1 {
        tonic::include_proto!("fenghuo.notification.v1");
    }
}
pub mod identity {
    pub mod v1 {
        tonic::include_proto!("fenghuo.identity.v1");
    }
}
pub mod exercise {
    pub mod v1 {
        tonic::include_proto!("fenghuo.exercise.v1");
    }
}
pub mod audit {
    pub mod v1 {
        tonic::include_proto!("fenghuo.audit.v1");
    }
}
pub mod operation {
    pub mod v1 {
        tonic::include_proto!("fenghuo.operation.v1");
    }
}
