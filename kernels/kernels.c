/* Every operation, compiled once for each instruction set: -DHH_ISA=name -DHH_ISA_NAME=1 and the flags of
 * tools/sources.ts. All is static but the table of operations at the end, hh_operations_<name>.
 *
 * Optimisation must keep the bits: -ffp-contract=off, never -ffast-math. */
#include "lanes.h"
#include "across_lanes.h"

#define HH_TABLE_OF(isa) hh_operations_##isa
#define HH_TABLE(isa) HH_TABLE_OF(isa)
extern hh_operation *const HH_TABLE(HH_ISA)[HH_OPERATION_COUNT];

#include "platform.h"
#include "half.h"
#include "dot.h"
#include "functions.h"
#include "quantized.h"
#include "shares.h"

#include "quantized_element.c"

#include "embedding.c"
#include "linear_f32.c"
#include "linear_f16.c"
#include "linear_bf16.c"
#include "quantize_rows.c"
#include "linear_q8_0.c"
#include "linear_q4_0.c"
#if defined(__AMX_INT8__)
#include "linear_blocks_amx.h"
#endif
#include "linear_q4_k.c"
#include "linear_q6_k.c"
#include "linear_mxfp4.c"
#include "rms_norm.c"
#include "layer_norm.c"
#include "rotary.c"
#include "cache_write.c"
#include "attention.c"
#include "elementwise.c"
#include "select_rows.c"
#include "log_sum_exp.c"
#include "argmax.c"
#include "fused.c"
#include "column_sums.c"
#include "norm_gradient.c"
#include "activation_gradient.c"
#include "row_gradients.c"
#include "dropout.c"
#include "row_squares.c"
#include "optimizers.c"
#include "round_rows.c"
#include "sequence_attention.c"
#include "cross_entropy.c"
#include "pack_columns.c"
#include "product_block.h"
#include "product.c"
#include "product_left.c"
#include "unit_norm.c"
#include "row_chain.c"
#include "limits.c"

hh_operation *const HH_TABLE(HH_ISA)[HH_OPERATION_COUNT] = {
    [HH_EMBEDDING] = embedding,
    [HH_LINEAR_F32] = linear_f32_run,
    [HH_LINEAR_F16] = linear_f16_run,
    [HH_LINEAR_BF16] = linear_bf16_run,
    [HH_LINEAR_Q8_0] = linear_q8_0_run,
    [HH_LINEAR_Q4_0] = linear_q4_0_run,
    [HH_LINEAR_Q4_K] = linear_q4_k_run,
    [HH_LINEAR_Q6_K] = linear_q6_k_run,
    [HH_LINEAR_MXFP4] = linear_mxfp4_run,
    [HH_QUANTIZE_ROWS] = quantize_rows,
    [HH_RMS_NORM] = rms_norm,
    [HH_LAYER_NORM] = layer_norm,
    [HH_ROTARY] = rotary,
    [HH_CACHE_WRITE] = cache_write,
    [HH_ATTENTION] = attention,
    [HH_ATTENTION_WEIGHTS] = attention_weights,
    [HH_ACTIVATION] = activation,
    [HH_GATED_ACTIVATION] = gated_activation,
    [HH_ADD] = add,
    [HH_SCALE] = scale,
    [HH_SOFT_CAP] = soft_cap,
    [HH_SELECT_ROWS] = select_rows,
    [HH_LOG_SUM_EXP] = log_sum_exp,
    [HH_ARGMAX] = argmax,
    [HH_LINEAR_GROUP] = linear_group,
    [HH_NORM_ROWS] = norm_rows,
    [HH_ACTIVATE_ROWS] = activate_rows,
    [HH_CHUNK_SUMS] = chunk_sums,
    [HH_SUM_CHUNKS] = sum_chunks,
    [HH_LOG_SUM_EXP_GRADIENT] = log_sum_exp_gradient,
    [HH_RMS_NORM_GRADIENT] = rms_norm_gradient,
    [HH_LAYER_NORM_GRADIENT] = layer_norm_gradient,
    [HH_ACTIVATION_GRADIENT] = activation_gradient,
    [HH_GATED_ACTIVATION_GRADIENT] = gated_activation_gradient,
    [HH_SOFT_CAP_GRADIENT] = soft_cap_gradient,
    [HH_EMBEDDING_GRADIENT] = embedding_gradient,
    [HH_DROPOUT] = dropout,
    [HH_ROW_SQUARES] = row_squares,
    [HH_ACCUMULATE] = accumulate,
    [HH_ADAMW] = adamw,
    [HH_SGD] = sgd,
    [HH_LION] = lion,
    [HH_MOMENTUM] = momentum,
    [HH_APPLY_UPDATE] = apply_update,
    [HH_MOVING_AVERAGE] = moving_average,
    [HH_SEQUENCE_ATTENTION] = sequence_attention,
    [HH_SEQUENCE_ATTENTION_GRADIENT] = sequence_attention_gradient,
    [HH_CROSS_ENTROPY] = cross_entropy,
    [HH_CROSS_ENTROPY_GRADIENT] = cross_entropy_gradient,
    [HH_ROUND_ROWS] = round_rows,
    [HH_PACK_COLUMNS] = pack_columns,
    [HH_PRODUCT] = product,
    [HH_PRODUCT_LEFT] = product_left,
    [HH_UNIT_NORM] = unit_norm,
    [HH_ROW_CHAIN] = row_chain,
    [HH_LIMIT_READ] = limit_read,
    [HH_LIMIT_FLOAT] = limit_float,
    [HH_LIMIT_BYTES] = limit_bytes,
    [HH_PLAIN_LOOP] = hh_plain_loop,
};
