use tch::Kind;

/// What a network computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// Of tokens, and of weights where nothing else is said.
    pub kind: Kind,
    /// Whether linear layers multiply 8-bit numbers: with four bits of exponent, three of mantissa and a factor for each row.
    /// Their weights take half the memory of bf16.
    pub has_eight_bit_linears: bool,
}

impl Precision {
    /// With linear layers in 8 bits.
    pub fn eight_bit(kind: Kind) -> Self {
        Self {
            kind,
            has_eight_bit_linears: true,
        }
    }
}

impl From<Kind> for Precision {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            has_eight_bit_linears: false,
        }
    }
}
