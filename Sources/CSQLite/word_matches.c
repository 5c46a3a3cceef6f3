#include "CSQLite.h"

#include "fts5_access.h"
#include <stddef.h>
#include <stdint.h>

/// Phrases up to which the answer fits on the stack.
enum { few_phrases = 128 };

typedef struct {
  uint32_t phrase, frequency;
} phrase_match;

static int count_matches(
  const Fts5ExtensionApi *api, Fts5Context *row, int phrases, int columns, uint32_t *length, phrase_match *matches, int *count) {
  int code = SQLITE_OK;
  *length = 0;
  for (int column = 0; column < columns; column++) {
    int tokens = 0;
    code = api->xColumnSize(row, column, &tokens);
    if (code != SQLITE_OK) return code;
    *length += tokens < 0 ? 0 : (uint32_t)tokens;
  }
  for (int phrase = 0; phrase < phrases; phrase++) {
    Fts5PhraseIter place;
    int column, offset;
    uint32_t frequency = 0;
    code = api->xPhraseFirst(row, phrase, &place, &column, &offset);
    if (code != SQLITE_OK) return code;
    for (; column >= 0; api->xPhraseNext(row, &place, &column, &offset)) frequency++;
    if (frequency > 0) matches[(*count)++] = (phrase_match){ (uint32_t)phrase, frequency };
  }
  return SQLITE_OK;
}

/// The auxiliary function: the length of the row, then number and frequency of each phrase that it has.
static void word_matches(
  const Fts5ExtensionApi *api, Fts5Context *row, sqlite3_context *result, int argument_count, sqlite3_value **arguments) {
  int phrases = api->xPhraseCount(row);
  int columns = argument_count > 0 ? sqlite3_value_int(arguments[0]) : 0;
  if (columns > api->xColumnCount(row)) columns = api->xColumnCount(row);
  // The length takes the place of one match.
  phrase_match on_stack[few_phrases + 1];
  phrase_match *matches = on_stack;
  if (phrases > few_phrases) {
    matches = sqlite3_malloc64(((sqlite3_uint64)phrases + 1) * sizeof *matches);
    if (matches == NULL) return sqlite3_result_error_nomem(result);
  }
  uint32_t length = 0;
  int count = 0;
  int code = count_matches(api, row, phrases, columns, &length, matches + 1, &count);
  matches[0] = (phrase_match){ length, (uint32_t)count };
  if (code == SQLITE_OK) {
    sqlite3_result_blob64(result, matches, ((sqlite3_uint64)count + 1) * sizeof *matches, SQLITE_TRANSIENT);
  } else {
    sqlite3_result_error_code(result, code);
  }
  if (matches != on_stack) sqlite3_free(matches);
}

int episodic_word_matches_register(sqlite3 *connection) {
  fts5_api *api = NULL;
  int code = episodic_fts5_api(connection, &api);
  if (code != SQLITE_OK) return code;
  return api->xCreateFunction(api, "episodic_word_matches", NULL, word_matches, NULL);
}
