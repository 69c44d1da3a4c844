//! Answers out of a stream of bytes: four bytes of length, then that many.

use crate::limits::FRAME_BYTES_MAX;
use crate::reader::Malformed;

/// What has arrived and is not a whole answer yet.
#[derive(Debug, Default)]
pub struct FrameReader {
    kept: Vec<u8>,
}

impl FrameReader {
    /// Keeps what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// The next whole answer, without its length.
    ///
    /// # Errors
    /// Where its length is negative or above [`FRAME_BYTES_MAX`]: the stream is of no use after that.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let Some((length, rest)) = self.kept.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| Malformed)?;
        if length > FRAME_BYTES_MAX {
            return Err(Malformed);
        }
        let Some((frame, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let (frame, rest) = (frame.to_vec(), rest.to_vec());
        self.kept = rest;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_above_the_bound_or_below_zero_is_refused() {
        for length in [-1, i32::MIN, i32::MAX, 1 + FRAME_BYTES_MAX as i32] {
            let mut frames = FrameReader::default();
            frames.push(&length.to_be_bytes());
            assert_eq!(frames.take(), Err(Malformed));
        }
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_the_answers_come_out_whole(
            answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            step in 1_usize..17,
        ) {
            let stream: Vec<u8> = answers
                .iter()
                .flat_map(|answer| [&(answer.len() as i32).to_be_bytes()[..], answer].concat())
                .collect();
            let mut frames = FrameReader::default();
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                frames.push(piece);
                while let Some(frame) = frames.take().unwrap() {
                    found.push(frame);
                }
            }
            prop_assert_eq!(found, answers);
        }
    }
}
