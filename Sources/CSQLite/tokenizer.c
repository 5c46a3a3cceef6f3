#include "CSQLite.h"

#include "fts5_access.h"
#include <stdlib.h>

struct episodic_tokenizer {
  fts5_tokenizer module;
  Fts5Tokenizer *instance;
};

int episodic_fts5_api(sqlite3 *connection, fts5_api **api) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(connection, "SELECT fts5(?1)", -1, &statement, NULL);
  if (code == SQLITE_OK) code = sqlite3_bind_pointer(statement, 1, (void *)api, "fts5_api_ptr", NULL);
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    code = code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
  }
  int end = sqlite3_finalize(statement);
  if (code != SQLITE_OK) return code;
  if (end != SQLITE_OK) return end;
  return *api == NULL ? SQLITE_ERROR : SQLITE_OK;
}

int episodic_tokenizer_create(
  struct sqlite3 *connection, const char *const *words, int count, struct episodic_tokenizer **tokenizer) {
  *tokenizer = NULL;
  if (count < 1) return SQLITE_MISUSE;
  fts5_api *api = NULL;
  int code = episodic_fts5_api(connection, &api);
  if (code != SQLITE_OK) return code;
  struct episodic_tokenizer *made = calloc(1, sizeof *made);
  if (made == NULL) return SQLITE_NOMEM;
  void *context = NULL;
  code = api->xFindTokenizer(api, words[0], &context, &made->module);
  if (code == SQLITE_OK) {
    code = made->module.xCreate(context, (const char **)(words + 1), count - 1, &made->instance);
  }
  if (code != SQLITE_OK) {
    free(made);
    return code;
  }
  *tokenizer = made;
  return SQLITE_OK;
}

void episodic_tokenizer_free(struct episodic_tokenizer *tokenizer) {
  if (tokenizer == NULL) return;
  tokenizer->module.xDelete(tokenizer->instance);
  free(tokenizer);
}

typedef struct {
  void *context;
  episodic_word_listener listener;
} listening;

static int hear(void *context, int flags, const char *word, int length, int start, int end) {
  (void)flags, (void)start, (void)end;
  listening *to = context;
  to->listener(to->context, word, length);
  return SQLITE_OK;
}

int episodic_tokenizer_cut(
  struct episodic_tokenizer *tokenizer, const char *text, int length, void *context, episodic_word_listener listener) {
  listening to = { context, listener };
  return tokenizer->module.xTokenize(tokenizer->instance, &to, FTS5_TOKENIZE_DOCUMENT, text, length, hear);
}
