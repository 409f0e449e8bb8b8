//! How operators round: what no run can find out.

/// The ways of rounding, and what they mean.
pub(super) const WAYS: [(&str, &str); 9] = [
    (
        "2R",
        "two roundings, `MultiplyByQuantizedMultiplier`: a doubling high multiplication rounded to nearest, ties upwards, then a shift to the right rounded to nearest, ties away from zero",
    ),
    ("1R", "one rounding: a 64-bit product with a 16-bit multiplier, shifted to the right, ties upwards"),
    ("mean", "the integer quotient, rounded to nearest, ties away from zero"),
    (
        "fixed",
        "gemmlowp's fixed-point functions (exp, reciprocal, logistic, tanh), each step rounded as there; then as 2R",
    ),
    ("table", "a table made when the plan is made, entries rounded to nearest, ties away from zero"),
    ("nearest", "`round(x / scale) + zero point` in float32, ties away from zero"),
    ("float", "IEEE float32, operation by operation in the order of the reference"),
    ("C", "conversions of C: towards zero from float32, modulo between integers"),
    ("none", "values are moved or compared, not computed"),
];

/// How an operator rounds on these types; `None` where nobody has written it down.
pub(super) fn rounding(op: &str, types: &str) -> Option<&'static str> {
    let from_float = types.starts_with("float32");
    let way = match op {
        "QUANTIZE" if from_float => "nearest",
        "CAST" => "C",
        // What only moves values does so for every type.
        "ARG_MAX"
        | "ARG_MIN"
        | "BATCH_TO_SPACE_ND"
        | "BROADCAST_TO"
        | "CONCATENATION"
        | "DEPTH_TO_SPACE"
        | "DYNAMIC_UPDATE_SLICE"
        | "EMBEDDING_LOOKUP"
        | "EQUAL"
        | "EXPAND_DIMS"
        | "FILL"
        | "GATHER"
        | "GATHER_ND"
        | "GREATER"
        | "GREATER_EQUAL"
        | "IF"
        | "LESS"
        | "LESS_EQUAL"
        | "LOGICAL_AND"
        | "LOGICAL_NOT"
        | "LOGICAL_OR"
        | "MAX_POOL_2D"
        | "MIRROR_PAD"
        | "NOT_EQUAL"
        | "PACK"
        | "PAD"
        | "PADV2"
        | "REDUCE_ALL"
        | "REDUCE_ANY"
        | "REDUCE_MAX"
        | "REDUCE_MIN"
        | "RESHAPE"
        | "RESIZE_NEAREST_NEIGHBOR"
        | "REVERSE_V2"
        | "SELECT"
        | "SELECT_V2"
        | "SHAPE"
        | "SLICE"
        | "SPACE_TO_BATCH_ND"
        | "SPACE_TO_DEPTH"
        | "SPLIT"
        | "SPLIT_V"
        | "SQUEEZE"
        | "STRIDED_SLICE"
        | "TILE"
        | "TRANSPOSE"
        | "UNPACK"
        | "WHERE"
        | "WHILE"
        | "ZEROS_LIKE"
        | "READ_VARIABLE"
        | "ASSIGN_VARIABLE"
        | "VAR_HANDLE"
        | "CALL_ONCE" => "none",
        _ if types.contains("float32") => "float",
        "MAXIMUM" | "MINIMUM" => "none",
        "ADD" | "ADD_N" | "SUB" | "MUL" | "SQUARED_DIFFERENCE"
            if types.starts_with("int32") || types.starts_with("int64") =>
        {
            "none"
        }
        "NEG" => "none",
        "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED" | "TRANSPOSE_CONV" | "BATCH_MATMUL"
            if types.starts_with("int16") =>
        {
            "1R"
        }
        "ADD" | "ADD_N" | "SUB" | "MUL" | "SQUARED_DIFFERENCE" | "PRELU" | "LEAKY_RELU" | "ABS" | "RELU"
        | "RELU6" | "RELU_N1_TO_1" | "RELU_0_TO_1" | "QUANTIZE" | "CONV_2D" | "DEPTHWISE_CONV_2D"
        | "FULLY_CONNECTED" | "TRANSPOSE_CONV" | "BATCH_MATMUL" | "SVDF" | "MEAN" | "SUM" | "HARD_SWISH"
        | "L2_NORMALIZATION" | "CUMSUM" | "DIV" | "RSQRT" => "2R",
        "AVERAGE_POOL_2D" | "RESIZE_BILINEAR" => "mean",
        "LOGISTIC" | "TANH" | "SOFTMAX" if types.starts_with("int16") => "table",
        "LOGISTIC" | "TANH" | "SOFTMAX" | "LOG_SOFTMAX" | "UNIDIRECTIONAL_SEQUENCE_LSTM" => "fixed",
        "ELU" | "EXP" => "table",
        _ => return None,
    };
    Some(way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_explained() {
        for (op, types) in
            [("CONV_2D", "int16 int8 int64"), ("CAST", "int8"), ("ADD", "float32"), ("PAD", "int8")]
        {
            let way = rounding(op, types);
            assert!(WAYS.iter().any(|(name, _)| Some(*name) == way), "{op}");
        }
        assert_eq!(rounding("NO_SUCH_OP", "int8"), None);
    }
}
