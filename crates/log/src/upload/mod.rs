//! Uploads: what of the tail becomes objects. The uploader asks the streams through [`source::TailSource`].

pub(crate) mod source;
