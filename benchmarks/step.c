/* SGD on the squared error of a dense relu network with softmax, by one thread: what the machine can do when
 * nothing but the arithmetic is left. benchmarks/peers.py compiles it and calls `train`.
 *
 * m examples in a batch, i inputs of a layer, o outputs. Rows are padded with zeros to a multiple of LANES, so that
 * every loop along a row runs over whole vectors, and the padding stays 0.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4)));

static int padded(int n) { return (n + LANES - 1) / LANES * LANES; }

/* rows × columns inner products of rows of A (·, ia) with rows of B (·, ib), along n: C = A Bᵀ + bias. */
INLINE void dot_tile(int rows, int columns, int n, const float *A, int ia, const float *B, int ib, const float *bias,
                     float *C, int ic) {
    vector sums[4][4];
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) sums[r][c] = (vector){0};
    for (int k = 0; k < n; k += LANES)
        for (int r = 0; r < rows; r++) {
            vector a = *(const vector *)(A + r * ia + k);
            for (int c = 0; c < columns; c++) sums[r][c] += a * *(const vector *)(B + c * ib + k);
        }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            float sum = bias[c];
            for (int lane = 0; lane < LANES; lane++) sum += sums[r][c][lane];
            C[r * ic + c] = sum;
        }
}

INLINE void dot_rows(int rows, int columns, int n, const float *A, int ia, const float *B, int ib, const float *bias,
                     float *C, int ic) {
    int r = 0;
    for (; r + 4 <= rows; r += 4) dot_tile(4, columns, n, A + r * ia, ia, B, ib, bias, C + r * ic, ic);
    for (; r < rows; r++) dot_tile(1, columns, n, A + r * ia, ia, B, ib, bias, C + r * ic, ic);
}

/* C (rows, columns) = A (rows, n) B (columns, n)ᵀ + bias (columns,): a layer's forward pass. */
static void multiply_transposed(int rows, int columns, int n, const float *A, int ia, const float *B, int ib,
                                const float *bias, float *C, int ic) {
    int c = 0;
    for (; c + 4 <= columns; c += 4) dot_rows(rows, 4, n, A, ia, B + c * ib, ib, bias + c, C + c, ic);
    for (; c + 2 <= columns; c += 2) dot_rows(rows, 2, n, A, ia, B + c * ib, ib, bias + c, C + c, ic);
    for (; c < columns; c++) dot_rows(rows, 1, n, A, ia, B + c * ib, ib, bias + c, C + c, ic);
}

/* `rows` rows of C, at most 2·LANES of their columns: C = keep · C + scale · A B, A (rows, n) with these strides. */
INLINE void sum_tile(int rows, int vectors, int n, const float *A, int by_row, int by_column, const float *B, int ib,
                     float keep, float scale, float *C, int ic) {
    vector sums[8][2];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) sums[r][v] = (vector){0};
    for (int k = 0; k < n; k++)
        for (int r = 0; r < rows; r++) {
            float a = A[r * by_row + k * by_column];
            for (int v = 0; v < vectors; v++) sums[r][v] += a * *(const vector *)(B + k * ib + v * LANES);
        }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) {
            vector *c = (vector *)(C + r * ic + v * LANES);
            *c = keep * *c + scale * sums[r][v];
        }
}

INLINE void sum_rows(int rows, int n, const float *A, int by_row, int by_column, const float *B, int ib, float keep,
                     float scale, float *C, int ic, int vectors) {
    int r = 0;
    for (; r + 8 <= rows; r += 8)
        sum_tile(8, vectors, n, A + r * by_row, by_row, by_column, B, ib, keep, scale, C + r * ic, ic);
    for (; r + 2 <= rows; r += 2)
        sum_tile(2, vectors, n, A + r * by_row, by_row, by_column, B, ib, keep, scale, C + r * ic, ic);
    for (; r < rows; r++)
        sum_tile(1, vectors, n, A + r * by_row, by_row, by_column, B, ib, keep, scale, C + r * ic, ic);
}

/* C (rows, columns) = keep · C + scale · A (rows, n) B (n, columns), A with any strides, columns a multiple of LANES. */
static void multiply_add(int rows, int columns, int n, const float *A, int by_row, int by_column, const float *B,
                         int ib, float keep, float scale, float *C, int ic) {
    int c = 0;
    for (; c + 2 * LANES <= columns; c += 2 * LANES)
        sum_rows(rows, n, A, by_row, by_column, B + c, ib, keep, scale, C + c, ic, 2);
    if (c < columns) sum_rows(rows, n, A, by_row, by_column, B + c, ib, keep, scale, C + c, ic, 1);
}

/* DZ (m, o) of ½ Σ (softmax(z) − y)², mean over m, in the place of Z. */
static void softmax_error(int m, int o, float *Z, int iz, const uint8_t *labels, const int32_t *batch) {
    for (int e = 0; e < m; e++) {
        float *z = Z + e * iz, largest = z[0], sum = 0, inner = 0;
        int label = labels[batch[e]];
        for (int c = 1; c < o; c++) largest = z[c] > largest ? z[c] : largest;
        for (int c = 0; c < o; c++) sum += z[c] = expf(z[c] - largest);
        for (int c = 0; c < o; c++) {
            z[c] /= sum;
            inner += z[c] * (z[c] - (c == label));
        }
        for (int c = 0; c < o; c++) z[c] *= (z[c] - (c == label) - inner) / m;
    }
}

/* Steps on the batches (steps, m) of examples' numbers, the parameters changed in place.
 *
 * sizes (layers + 1,); weights[l] (o, padded i), biases[l] (o,); inputs (n, i) uint8; values[l] (m, padded size) and
 * errors[l], of the same shapes, are scratch, zeros at first.
 */
void train(int layers, const int *sizes, float **weights, float **biases, const uint8_t *inputs,
           const uint8_t *labels, const int32_t *batches, int steps, int m, float rate, float **values,
           float **errors) {
    const int32_t *end = batches + (int64_t)steps * m;
    for (const int32_t *batch = batches; batch < end; batch += m) {
        for (int e = 0; e < m; e++) {
            const uint8_t *pixels = inputs + (int64_t)batch[e] * sizes[0];
            float *x = values[0] + e * padded(sizes[0]);
            for (int k = 0; k < sizes[0]; k++) x[k] = pixels[k] * (1 / 255.0f);
            if (batch + m < end) /* the next batch lies anywhere in memory */
                for (int k = 0; k < sizes[0]; k += 64)
                    __builtin_prefetch(inputs + (int64_t)batch[m + e] * sizes[0] + k);
        }
        for (int l = 0; l < layers; l++) {
            int i = padded(sizes[l]), o = sizes[l + 1], io = padded(o);
            multiply_transposed(m, o, i, values[l], i, weights[l], i, biases[l], values[l + 1], io);
            if (l + 1 < layers)
                for (int k = 0; k < m * io; k++) values[l + 1][k] = values[l + 1][k] > 0 ? values[l + 1][k] : 0;
        }
        float *DZ = values[layers];
        softmax_error(m, sizes[layers], DZ, padded(sizes[layers]), labels, batch);
        for (int l = layers - 1; l >= 0; l--) {
            int i = padded(sizes[l]), o = sizes[l + 1], io = padded(o);
            if (l > 0) {
                multiply_add(m, i, o, DZ, io, 1, weights[l], i, 0, 1, errors[l], i);
                for (int k = 0; k < m * i; k++) errors[l][k] = values[l][k] > 0 ? errors[l][k] : 0;
            }
            multiply_add(o, i, m, DZ, 1, io, values[l], i, 1, -rate, weights[l], i);
            for (int e = 0; e < m; e++)
                for (int k = 0; k < o; k++) biases[l][k] -= rate * DZ[e * io + k];
            DZ = errors[l];
        }
    }
}
