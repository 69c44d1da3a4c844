//! The body of a batch, opened: told apart by its first byte, inflated in bounded memory.

use crate::fault::Fault;
use alloc::borrow::Cow;
use alloc::format;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use selvedge_core::limits::BATCH_BYTES_MAX;
use selvedge_core::wire::batch_decode::{self, BatchFault};

/// Which form a batch came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Wire v1.
    Binary,
    /// Its JSON form.
    Json,
}

/// A body, opened: JSON text, or the sections of wire v1, inflated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// Which form it is.
    pub form: Form,
    /// The text or the sections.
    pub bytes: Cow<'a, [u8]>,
}

/// Opens a body. JSON is told by its first byte, an opening brace.
///
/// # Errors
/// [`Fault`] 413 above [`BATCH_BYTES_MAX`], as it travels or inflated; 400 for anything that is no batch.
pub fn open(body: &[u8]) -> Result<Opened<'_>, Fault> {
    if body.len() > BATCH_BYTES_MAX {
        return Err(too_large());
    }
    if body.first() == Some(&b'{') {
        return Ok(Opened { form: Form::Json, bytes: Cow::Borrowed(body) });
    }
    let container = batch_decode::open(body).map_err(fault_of)?;
    let bytes =
        if container.deflated { inflate(container.sections)?.into() } else { container.sections.into() };
    Ok(Opened { form: Form::Binary, bytes })
}

/// What a caller is told of a batch that cannot be read.
#[must_use]
pub fn fault_of(fault: BatchFault) -> Fault {
    let message = format!("{fault}");
    match fault {
        BatchFault::TooLarge | BatchFault::TooManyEvents => Fault::too_large(message),
        _ => Fault::unreadable(message),
    }
}

fn inflate(deflated: &[u8]) -> Result<alloc::vec::Vec<u8>, Fault> {
    decompress_to_vec_with_limit(deflated, BATCH_BYTES_MAX).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => too_large(),
        _ => Fault::unreadable("the compressed sections cannot be inflated (deflate, raw)"),
    })
}

fn too_large() -> Fault {
    Fault::too_large(format!("a batch has at most {BATCH_BYTES_MAX} bytes, compressed or not"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use miniz_oxide::deflate::compress_to_vec;
    use proptest::prelude::*;

    fn deflated(plain: &[u8]) -> Vec<u8> {
        [&[1u8, 1][..], &compress_to_vec(plain, 9)].concat()
    }

    #[test]
    fn json_is_told_by_its_brace() {
        assert_eq!(open(b"{}").unwrap().form, Form::Json);
        assert_eq!(open(&[1, 0, 7]).unwrap().bytes.as_ref(), [7]);
    }

    #[test]
    fn a_compressed_body_is_inflated() {
        assert_eq!(open(&deflated(b"sections")).unwrap().bytes.as_ref(), b"sections");
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = deflated(&vec![0; BATCH_BYTES_MAX * 100]);
        assert!(bomb.len() < BATCH_BYTES_MAX);
        assert_eq!(open(&bomb).unwrap_err().status, 413);
        assert_eq!(open(&deflated(&vec![0; BATCH_BYTES_MAX + 1])).unwrap_err().status, 413);
        assert_eq!(open(&deflated(&vec![0; BATCH_BYTES_MAX])).unwrap().bytes.len(), BATCH_BYTES_MAX);
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        for body in [&[][..], &[1], &[2, 0], &[1, 2, 0], &[1, 1, 0xff, 0xff]] {
            assert_eq!(open(body).unwrap_err().code, "unreadable", "{body:?}");
        }
        assert_eq!(open(&vec![b'{'; BATCH_BYTES_MAX + 1]).unwrap_err().status, 413);
    }

    proptest! {
        #[test]
        fn any_bytes_are_opened_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = open(&body);
            let _ = open(&[&[1, 1][..], &body].concat());
        }
    }
}
