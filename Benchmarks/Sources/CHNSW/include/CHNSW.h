/// hnswlib behind a plain C interface: the yardstick for vectors.
///
/// Rows are float32 and compared by their inner product, which is the cosine for rows of length 1. An index is used by one
/// thread at a time. No function throws.
#ifndef EPISODIC_HNSW_H
#define EPISODIC_HNSW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct chnsw_index chnsw_index;

typedef enum { CHNSW_OK = 0, CHNSW_UNAVAILABLE, CHNSW_NO_MEMORY, CHNSW_FAILED } chnsw_code;

/// Whether this was built with hnswlib; without it every function below fails.
bool chnsw_is_available(void);

/// @param links Neighbours of a point on each layer, M in the literature.
/// @param effort Candidates kept while a point is added, efConstruction in the literature.
chnsw_code chnsw_new(size_t dimensions, size_t capacity, size_t links, size_t effort, chnsw_index **index);

/// Loads a file of `chnsw_save`.
chnsw_code chnsw_load(const char *path, size_t dimensions, chnsw_index **index);

chnsw_code chnsw_save(const chnsw_index *index, const char *path);
void chnsw_free(chnsw_index *index);

/// Points in it.
size_t chnsw_count(const chnsw_index *index);

chnsw_code chnsw_add(chnsw_index *index, const float *row, uint64_t label);

/// The nearest points, best first.
///
/// @param effort Candidates kept while searching, ef in the literature.
/// @param labels Room for `k`.
/// @param found The number found: `k` if the index has that many.
chnsw_code chnsw_search(
  const chnsw_index *index, const float *query, size_t k, size_t effort, uint64_t *labels, size_t *found);

#ifdef __cplusplus
}
#endif

#endif
