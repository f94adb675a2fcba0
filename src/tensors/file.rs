//! Named arrays and strings as the bytes of a safetensors file.

use super::Tensor;
use crate::error::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
use std::collections::{BTreeMap, HashMap};

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays {
    /// Arrays of 32-bit floats by name.
    pub floats: BTreeMap<String, Tensor<f32>>,
    /// Arrays of unsigned 64-bit integers by name.
    pub counters: BTreeMap<String, Tensor<u64>>,
    /// Strings by name.
    pub metadata: HashMap<String, String>,
}

/// The bytes of a file that holds `arrays`.
///
/// # Errors
/// A shape that is not that of its values, a name that is there twice, or strings without an array.
pub fn encode(arrays: &Arrays) -> Result<Vec<u8>> {
    if let Some(name) = arrays.floats.keys().find(|&name| arrays.counters.contains_key(name)) {
        return Err(bad(format!("{name} must be there once, not twice")));
    }
    // safetensors 0.8 writes strings without an array as a file that it cannot read
    if arrays.floats.is_empty() && arrays.counters.is_empty() && !arrays.metadata.is_empty() {
        return Err(bad("it holds strings and no array"));
    }
    let floats =
        arrays.floats.iter().map(|(name, of)| (name, Dtype::F32, &of.shape, bytes(&of.values, f32::to_le_bytes)));
    let counters =
        arrays.counters.iter().map(|(name, of)| (name, Dtype::U64, &of.shape, bytes(&of.values, u64::to_le_bytes)));
    let all: Vec<_> = floats.chain(counters).collect();
    let views = all.iter().map(|(name, dtype, shape, bytes)| {
        TensorView::new(*dtype, (*shape).clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<std::result::Result<Vec<_>, _>>().map_err(bad)?;
    serialize(views, (!arrays.metadata.is_empty()).then(|| arrays.metadata.clone())).map_err(bad)
}

/// What [`encode`] made.
///
/// # Errors
/// Bytes that are no safetensors file, or one with numbers other than 32-bit floats and unsigned 64-bit integers.
pub fn decode(bytes: &[u8]) -> Result<Arrays> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(bad)?;
    let mut arrays = Arrays { metadata: header.metadata().clone().unwrap_or_default(), ..Arrays::default() };
    for (name, view) in SafeTensors::deserialize(bytes).map_err(bad)?.iter() {
        let (name, shape) = (name.to_owned(), view.shape().to_vec());
        match view.dtype() {
            Dtype::F32 => {
                let values = view.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
                arrays.floats.insert(name, Tensor { shape, values });
            }
            Dtype::U64 => {
                let values = view.data().as_chunks().0.iter().map(|&b| u64::from_le_bytes(b)).collect();
                arrays.counters.insert(name, Tensor { shape, values });
            }
            other => return Err(bad(format!("{name} must be F32 or U64, not {other:?}"))),
        }
    }
    Ok(arrays)
}

fn bytes<T: Copy, const N: usize>(values: &[T], each: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| each(value)).collect()
}

fn bad(reason: impl std::fmt::Display) -> Error {
    Error::Format(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrays() -> Arrays {
        let weights = Tensor { shape: vec![2, 3], values: vec![0.5, -1.0, f32::MIN_POSITIVE, 3.0, -0.0, 1e30] };
        Arrays {
            floats: BTreeMap::from([
                ("0.c".to_owned(), weights),
                ("none".to_owned(), Tensor { shape: vec![0], values: vec![] }),
            ]),
            counters: BTreeMap::from([("0.samples".to_owned(), Tensor { shape: vec![2], values: vec![7, u64::MAX] })]),
            metadata: HashMap::from([("format".to_owned(), "test".to_owned())]),
        }
    }

    #[test]
    fn what_is_encoded_comes_back() {
        assert_eq!(decode(&encode(&arrays()).expect("valid")).expect("whole"), arrays());
        assert_eq!(decode(&encode(&Arrays::default()).expect("empty")).expect("whole"), Arrays::default());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut twice = arrays();
        twice.counters.insert("0.c".to_owned(), Tensor { shape: vec![1], values: vec![1] });
        assert!(encode(&twice).expect_err("a name twice").to_string().contains("0.c"));
        let mut short = arrays();
        short.floats.get_mut("0.c").expect("there").shape = vec![4, 3];
        assert!(encode(&short).is_err());
        let strings = Arrays { metadata: arrays().metadata, ..Arrays::default() };
        assert!(encode(&strings).expect_err("no array").to_string().contains("no array"));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let whole = encode(&arrays()).expect("valid");
        for end in 0..whole.len() {
            assert!(decode(&whole[..end]).is_err(), "cut to {end}");
        }
        let promises = br#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#;
        let mut few = (promises.len() as u64).to_le_bytes().to_vec();
        few.extend(promises);
        assert!(decode(&few).is_err());
    }
}
