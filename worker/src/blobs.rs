//! The programs' bytes, named by their hash and never changed. The registry object holds them all. Where a KV namespace is
//! bound as `PROGRAMS` they are copied there, before the pointer moves, and read from there first: near every isolate,
//! and without a request to the one object. KV takes up to a minute to show a value everywhere, and may fail: what it does
//! not give at once, whole and under its hash, the registry gives.

use crate::registry_client::registry;
use crate::reply::Problem;
use futures_util::future::{Either, select};
use selvedge_core::hash::fnv1a_64;
use selvedge_edge::publish::{Published, hash_of};
use std::pin::pin;
use std::time::Duration;
use worker::kv::{KvError, KvStore};
use worker::{Delay, Env};

/// The binding of the KV namespace.
const BINDING: &str = "PROGRAMS";
/// How long KV is waited for; the registry answers sooner than a KV that hangs.
const KV_MAX: Duration = Duration::from_secs(2);
/// How long a location keeps what it read: the bytes of a hash never change.
const CACHE_S: u64 = 86_400;

/// The two forms of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The edge's.
    Full,
    /// The page's.
    Public,
}

impl Form {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Public => "public",
        }
    }
}

/// The bytes of a program; `None` where there is none of this hash.
pub async fn read(env: &Env, program: &str, form: Form) -> Result<Option<Vec<u8>>, Problem> {
    if let Some(bytes) = of_kv(env, program, form).await {
        return Ok(Some(bytes));
    }
    let mut response = registry(env, &format!("/program/{program}/{}", form.word())).await?;
    if response.status_code() == 200 { Ok(Some(response.bytes().await?)) } else { Ok(None) }
}

/// Copies a program to KV, where it is bound. A failure is told in the worker's log and nowhere else: the registry holds
/// the program, and publishing it again copies it again.
pub async fn copy_to_kv(env: &Env, published: &Published<'_>) {
    let Some(kv) = kv(env) else { return };
    let program = published.hash.to_string();
    for (form, bytes) in [(Form::Full, published.full), (Form::Public, published.public)] {
        let key = key(&program, form);
        let written = in_time(async {
            kv.put_bytes(&key, &sealed(bytes))?.execute().await?;
            Ok(Some(()))
        });
        if written.await.is_none() {
            worker::console_error!("the program {key} could not be copied to KV");
        }
    }
}

async fn of_kv(env: &Env, program: &str, form: Form) -> Option<Vec<u8>> {
    let kv = kv(env)?;
    let key = key(program, form);
    let value = in_time(kv.get(&key).cache_ttl(CACHE_S).bytes()).await?;
    let bytes = unsealed(&value)?;
    let is_named = form == Form::Public || hash_of(bytes).to_string() == program;
    is_named.then(|| bytes.to_vec())
}

fn kv(env: &Env) -> Option<KvStore> {
    env.kv(BINDING).ok()
}

fn key(program: &str, form: Form) -> String {
    format!("program/{program}/{}", form.word())
}

/// What the store answers in time; a failure is told and counts as no answer.
async fn in_time<T>(asked: impl Future<Output = Result<Option<T>, KvError>>) -> Option<T> {
    match select(pin!(asked), pin!(Delay::from(KV_MAX))).await {
        Either::Left((Ok(answer), _)) => answer,
        Either::Left((Err(error), _)) => {
            worker::console_error!("KV failed: {error}");
            None
        }
        Either::Right(_) => {
            worker::console_error!("KV did not answer within {} s", KV_MAX.as_secs());
            None
        }
    }
}

/// The bytes behind a checksum of theirs.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    [&fnv1a_64(bytes).to_le_bytes()[..], bytes].concat()
}

/// The bytes that were sealed; `None` for anything else.
fn unsealed(value: &[u8]) -> Option<&[u8]> {
    let (sum, bytes) = value.split_first_chunk()?;
    (u64::from_le_bytes(*sum) == fnv1a_64(bytes)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_values_count() {
        let value = sealed(b"program");
        assert_eq!(unsealed(&value), Some(&b"program"[..]));
        assert_eq!(unsealed(&value[..value.len() - 1]), None);
        assert_eq!(unsealed(&[1, 2]), None);
    }
}
