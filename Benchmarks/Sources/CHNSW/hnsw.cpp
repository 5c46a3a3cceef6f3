#include "CHNSW.h"

#if __has_include(<hnswlib/hnswlib.h>)

#include <hnswlib/hnswlib.h>

#include <memory>
#include <new>
#include <string>

struct chnsw_index {
  /// Must outlive the graph, which keeps a pointer to it.
  hnswlib::InnerProductSpace space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;

  explicit chnsw_index(size_t dimensions) : space(dimensions) {}
};

/// Runs what may throw.
template <typename Body>
static chnsw_code guarded(Body body) noexcept {
  try {
    body();
    return CHNSW_OK;
  } catch (const std::bad_alloc &) {
    return CHNSW_NO_MEMORY;
  } catch (...) {
    return CHNSW_FAILED;
  }
}

bool chnsw_is_available(void) { return true; }

chnsw_code chnsw_new(size_t dimensions, size_t capacity, size_t links, size_t effort, chnsw_index **index) {
  return guarded([&] {
    auto made = std::make_unique<chnsw_index>(dimensions);
    made->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&made->space, capacity, links, effort);
    *index = made.release();
  });
}

chnsw_code chnsw_load(const char *path, size_t dimensions, chnsw_index **index) {
  return guarded([&] {
    auto made = std::make_unique<chnsw_index>(dimensions);
    made->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&made->space, std::string(path));
    *index = made.release();
  });
}

chnsw_code chnsw_save(const chnsw_index *index, const char *path) {
  return guarded([&] { index->graph->saveIndex(path); });
}

void chnsw_free(chnsw_index *index) { delete index; }

size_t chnsw_count(const chnsw_index *index) { return index->graph->cur_element_count; }

chnsw_code chnsw_add(chnsw_index *index, const float *row, uint64_t label) {
  return guarded([&] { index->graph->addPoint(row, static_cast<hnswlib::labeltype>(label)); });
}

chnsw_code chnsw_search(
  const chnsw_index *index, const float *query, size_t k, size_t effort, uint64_t *labels, size_t *found) {
  return guarded([&] {
    index->graph->setEf(effort);
    auto nearest = index->graph->searchKnn(query, k);
    *found = nearest.size();
    // The queue hands out the farthest first.
    for (size_t place = nearest.size(); place > 0; place--) {
      labels[place - 1] = nearest.top().second;
      nearest.pop();
    }
  });
}

#else

bool chnsw_is_available(void) { return false; }
chnsw_code chnsw_new(size_t, size_t, size_t, size_t, chnsw_index **) { return CHNSW_UNAVAILABLE; }
chnsw_code chnsw_load(const char *, size_t, chnsw_index **) { return CHNSW_UNAVAILABLE; }
chnsw_code chnsw_save(const chnsw_index *, const char *) { return CHNSW_UNAVAILABLE; }
void chnsw_free(chnsw_index *) {}
size_t chnsw_count(const chnsw_index *) { return 0; }
chnsw_code chnsw_add(chnsw_index *, const float *, uint64_t) { return CHNSW_UNAVAILABLE; }
chnsw_code chnsw_search(const chnsw_index *, const float *, size_t, size_t, uint64_t *, size_t *) {
  return CHNSW_UNAVAILABLE;
}

#endif
