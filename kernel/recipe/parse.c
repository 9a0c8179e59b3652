/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parse.c - YAML text to nodes with places, by libyaml's event interface.
 *
 * libyaml's document interface accepts duplicate keys and resolves aliases, so that errors point
 * elsewhere; from events we build our own tree and refuse what recipes do not need. The text is
 * checked for UTF-8 and control characters first: then libyaml's lines are ours, and only its
 * columns, which count characters, have to be turned into bytes. */
#include "core/text.h"
#include "recipe/node.h"
#include <string.h>
#include <yaml.h>

#define KEYS_LIMIT 1000 /* keys of one map: keeps the search for duplicates cheap */
#define KEY_LENGTH 100

struct reader {
  yaml_parser_t parser;
  struct ssk_arena *arena;
  const struct ssk_source *source;
  ssk_err *err;
  bool failed;
  char *text; /* the source with plain newlines */
  size_t size;
  const char **lines; /* of a second copy, each ended by NUL */
  size_t n_lines;
  size_t line, characters, bytes; /* the last column that was turned into bytes */
};

/* ---- places --------------------------------------------------------------------------------- */

static const char *line_of(const struct reader *r, size_t line) {
  return r->lines[line < r->n_lines ? line : r->n_lines - 1];
}

/* Bytes before character number `characters` of a line. Marks mostly go forward, so going on from
 * the last answer keeps reading linear even in a long line. */
static size_t bytes_before(struct reader *r, size_t line, size_t characters) {
  if (line != r->line || characters < r->characters)
    r->characters = r->bytes = 0;
  r->line = line;
  const char *text = line_of(r, line);
  while (r->characters < characters && text[r->bytes]) {
    do
      r->bytes++;
    while (((unsigned char)text[r->bytes] & 0xc0) == 0x80);
    r->characters++;
  }
  return r->bytes;
}

static struct ssk_pos place_at(struct reader *r, size_t line, size_t byte, size_t width) {
  if (r->source->within) {
    struct ssk_pos pos = *r->source->within;
    const size_t length = strlen(line_of(r, 0));
    if ((size_t)pos.width == length) {
      pos.column += (int)(line > 0 ? length : byte); /* behind its only line is its end */
      pos.width = width ? (int)width : 1;
    }
    return pos;
  }
  return (struct ssk_pos){.file = r->source->file,
                          .line = (int)line + 1,
                          .column = (int)byte + 1,
                          .width = width ? (int)width : 1,
                          .line_text = line_of(r, line)};
}

static struct ssk_pos place(struct reader *r, yaml_mark_t start, yaml_mark_t end) {
  size_t from = bytes_before(r, start.line, start.column), to = from;
  if (end.line == start.line)
    to = bytes_before(r, end.line, end.column);
  else if (end.line > start.line)
    to = strlen(line_of(r, start.line));
  return place_at(r, start.line, from, to > from ? to - from : 1);
}

/* The word that begins with `sign` in a line, at or after the mark: an anchor or a tag. */
static struct ssk_pos place_of_sign(struct reader *r, yaml_mark_t start, char sign) {
  size_t from = bytes_before(r, start.line, start.column);
  const char *text = line_of(r, start.line), *found = strchr(text + from, sign);
  if (found)
    from = (size_t)(found - text);
  return place_at(r, start.line, from, strcspn(text + from, " \t,]}"));
}

static int fail(struct reader *r, const struct ssk_pos *pos, const char *message) {
  r->failed = true;
  return ssk_err_at(r->err, SSK_ERECIPE, pos, "%s", message);
}

static void *no_memory(struct reader *r) {
  r->failed = true;
  ssk_err_set(r->err, SSK_ENOMEM, "no memory to read '%s'", r->source->file);
  return NULL;
}

/* ---- the text before YAML ------------------------------------------------------------------- */

/* Copy the text with CR LF as LF and without a byte order mark, and cut a second copy into lines.
 */
static bool copy_text(struct reader *r) {
  const char *from = r->source->text;
  size_t size = r->source->size;
  if (size >= 3 && memcmp(from, "\xef\xbb\xbf", 3) == 0) {
    from += 3;
    size -= 3;
  }
  r->text = ssk_arena_alloc(r->arena, size + 1);
  char *cut = ssk_arena_alloc(r->arena, size + 1);
  if (!r->text || !cut)
    return no_memory(r);
  r->n_lines = 1;
  for (size_t i = 0; i < size; i++) {
    if (from[i] == '\r' && i + 1 < size && from[i + 1] == '\n')
      continue;
    r->n_lines += from[i] == '\n';
    r->text[r->size++] = from[i];
  }
  r->text[r->size] = 0;
  r->lines = ssk_arena_alloc(r->arena, r->n_lines * sizeof *r->lines);
  if (!r->lines)
    return no_memory(r);
  memcpy(cut, r->text, r->size + 1);
  size_t n = 0;
  r->lines[n++] = cut;
  for (size_t i = 0; i < r->size; i++)
    if (cut[i] == '\n') {
      cut[i] = 0;
      r->lines[n++] = cut + i + 1;
    }
  return true;
}

static bool check_text(struct reader *r) {
  size_t bad, line = 0, start = 0;
  enum ssk_text_flaw flaw = ssk_text_check(r->text, r->size, &bad);
  if (flaw == SSK_TEXT_CLEAN)
    return true;
  for (size_t i = 0; i < bad; i++)
    if (r->text[i] == '\n') {
      line++;
      start = i + 1;
    }
  struct ssk_pos pos = place_at(r, line, bad - start, 1);
  if (flaw == SSK_TEXT_NOT_UTF8)
    fail(r, &pos, "these bytes are not UTF-8");
  else if (r->text[bad] == 0)
    fail(r, &pos, "NUL byte in the text");
  else if (r->text[bad] == '\r')
    fail(r, &pos, "carriage return without a newline");
  else
    fail(r, &pos, "control character in the text");
  ssk_err_hint(r->err, "recipes are plain text in UTF-8");
  return false;
}

/* What to say instead of libyaml's words, which name the place where it gave up, where the place
 * that needs mending is the one it was in the middle of. NULL: the words are fine. */
static const char *unfinished(const struct reader *r, const char *context, const char *problem) {
  const yaml_mark_t *mark = &r->parser.problem_mark;
  bool is_end =
      mark->line >= r->n_lines || (mark->line + 1 == r->n_lines && !*line_of(r, mark->line));
  is_end = is_end || strcmp(problem, "found unexpected end of stream") == 0;
  if (strcmp(context, "while scanning a simple key") == 0)
    return "YAML syntax: expected ':' after this key";
  if (is_end && strcmp(context, "while scanning a quoted scalar") == 0)
    return "YAML syntax: this quoted text does not end";
  if (is_end && strcmp(context, "while parsing a flow sequence") == 0)
    return "YAML syntax: this list does not end";
  if (is_end && strcmp(context, "while parsing a flow mapping") == 0)
    return "YAML syntax: this map does not end";
  return NULL;
}

static void report_syntax(struct reader *r) {
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR) {
    no_memory(r);
    return;
  }
  const char *context = p->context ? p->context : "", *problem = p->problem ? p->problem : "error";
  const char *better = unfinished(r, context, problem);
  yaml_mark_t mark = better ? p->context_mark : p->problem_mark;
  struct ssk_pos pos = place(r, mark, mark);
  if (better) {
    fail(r, &pos, better);
    return;
  }
  r->failed = true;
  ssk_err_at(r->err, SSK_ERECIPE, &pos, "YAML syntax: %s", problem);
  if (line_of(r, mark.line)[bytes_before(r, mark.line, mark.column)] == '\t')
    ssk_err_hint(r->err, "indent with spaces, not with tabs");
  else if (strcmp(problem, "mapping values are not allowed in this context") == 0)
    ssk_err_hint(r->err, "a text that holds ': ' needs quotes; or the line before lacks its ':'");
  else if (*context)
    ssk_err_hint(r->err, "%s that begins on line %zu", context, p->context_mark.line + 1);
}

/* ---- events to nodes ------------------------------------------------------------------------ */

static bool next_event(struct reader *r, yaml_event_t *event) {
  if (yaml_parser_parse(&r->parser, event))
    return true;
  report_syntax(r);
  return false;
}

static void refuse_anchor_and_tag(struct reader *r, const yaml_event_t *event,
                                  const yaml_char_t *anchor, const yaml_char_t *tag) {
  if (anchor) {
    struct ssk_pos pos = place_of_sign(r, event->start_mark, '&');
    fail(r, &pos, "recipes have no anchors");
    ssk_err_hint(r->err, "put what is shared into a file, and name it by `base:`");
  }
  if (tag) {
    struct ssk_pos pos = place_of_sign(r, event->start_mark, '!');
    fail(r, &pos, "recipes have no tags");
    ssk_err_hint(r->err, "leave it out: the type of each value is known");
  }
}

/* The text of a scalar event, copied. */
static const char *read_scalar(struct reader *r, const yaml_event_t *event,
                               const struct ssk_pos *pos) {
  const char *value = (const char *)event->data.scalar.value;
  size_t length = event->data.scalar.length;
  refuse_anchor_and_tag(r, event, event->data.scalar.anchor, event->data.scalar.tag);
  if (ssk_text_check(value, length, NULL) != SSK_TEXT_CLEAN)
    fail(r, pos, "control character in a quoted text");
  const char *copy = ssk_arena_strdup(r->arena, value);
  return copy ? copy : no_memory(r);
}

static struct ssk_node *read_children(struct reader *r, struct ssk_node *parent, int depth);

/* The node that begins with this event, which is freed. NULL: nothing more can be read. */
static struct ssk_node *read_node(struct reader *r, yaml_event_t *event, int depth) {
  struct ssk_node *node = ssk_arena_zalloc(r->arena, sizeof *node);
  if (!node) {
    yaml_event_delete(event);
    return no_memory(r);
  }
  node->folder = r->source->folder;
  node->pos = place(r, event->start_mark, event->end_mark);
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    node->text = read_scalar(r, event, &node->pos);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    break;
  case YAML_SEQUENCE_START_EVENT:
    node->type = SSK_NODE_LIST;
    refuse_anchor_and_tag(r, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    break;
  case YAML_MAPPING_START_EVENT:
    node->type = SSK_NODE_MAP;
    refuse_anchor_and_tag(r, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    break;
  default: /* an alias: nothing else begins a node */
    fail(r, &node->pos, "recipes have no aliases");
    ssk_err_hint(r->err, "write the value out, or put it into a file and name that by `base:`");
    node->text = "";
    node->quoted = true;
  }
  yaml_event_delete(event);
  if (node->type == SSK_NODE_SCALAR)
    return node->text ? node : NULL;
  if (depth >= SSK_DEPTH_LIMIT) {
    r->failed = true;
    ssk_err_at(r->err, SSK_ERECIPE, &node->pos, "nested deeper than %d levels", SSK_DEPTH_LIMIT);
    return NULL;
  }
  return read_children(r, node, depth + 1);
}

static void check_key(struct reader *r, const struct ssk_node *map, const struct ssk_node *key) {
  if (key->type != SSK_NODE_SCALAR)
    fail(r, &key->pos, "a key must be a name, not a list or a map");
  else if (!key->quoted && strcmp(key->text, "<<") == 0) {
    fail(r, &key->pos, "recipes have no merge keys");
    ssk_err_hint(r->err, "put what is shared into a file, and name it by `base:`");
  } else if (!*key->text)
    fail(r, &key->pos, "empty key");
  else if (strlen(key->text) > KEY_LENGTH)
    fail(r, &key->pos, "a key this long cannot be right");
  else {
    const struct ssk_node *first = ssk_node_get(map, key->text);
    if (!first)
      return;
    r->failed = true;
    ssk_err_at(r->err, SSK_ERECIPE, &key->pos, "duplicate key '%s'", key->text);
    ssk_err_hint(r->err, "it is given on line %d already", first->key_pos.line);
  }
}

static bool is_empty(const struct ssk_node *node) {
  return node->type == SSK_NODE_SCALAR && !node->quoted && !*node->text;
}

/* An empty value is YAML's null. As recipes have defaults for keys that are absent, it is more
 * often a slip than a wish. */
static void check_value(struct reader *r, const struct ssk_node *value) {
  if (!is_empty(value))
    return;
  r->failed = true;
  if (value->key)
    ssk_err_at(r->err, SSK_ERECIPE, &value->key_pos, "'%s' has no value", value->key);
  else
    ssk_err_at(r->err, SSK_ERECIPE, &value->pos, "empty item in a list");
  ssk_err_hint(r->err, "leave it out, or write \"\" for an empty text, {} for an empty map");
}

/* The items of a list, or keys and values of a map, up to its end event. */
static struct ssk_node *read_children(struct reader *r, struct ssk_node *parent, int depth) {
  struct ssk_node **tail = &parent->first;
  bool is_map = parent->type == SSK_NODE_MAP;
  yaml_event_type_t end = is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
  yaml_event_t event;
  for (int n = 0; next_event(r, &event); n++) {
    if (event.type == end) {
      yaml_event_delete(&event);
      return parent;
    }
    struct ssk_node *child = read_node(r, &event, depth), *key = is_map ? child : NULL;
    if (key) {
      check_key(r, parent, key);
      child = next_event(r, &event) ? read_node(r, &event, depth) : NULL;
    }
    if (!child)
      return NULL;
    if (key && key->type == SSK_NODE_SCALAR) {
      child->key = key->text;
      child->key_pos = key->pos;
    }
    if (is_map && n == KEYS_LIMIT) {
      r->failed = true;
      ssk_err_at(r->err, SSK_ERECIPE, &key->pos, "more than %d keys in one map", KEYS_LIMIT);
      return NULL;
    }
    check_value(r, child);
    if (is_map && !child->key)
      continue; /* its key was refused: nothing can find it */
    *tail = child;
    tail = &child->next;
  }
  return NULL;
}

static void report_empty(struct reader *r) {
  struct ssk_pos pos = {.file = r->source->file};
  if (!r->source->within) {
    fail(r, &pos, "the file is empty");
    return;
  }
  pos = place_at(r, 0, 0, 1);
  fail(r, &pos, "the value is empty");
  ssk_err_hint(r->err, "write \"\" for an empty text, {} for an empty map");
}

/* The only document of the stream. */
static struct ssk_node *read_document(struct reader *r) {
  yaml_event_t event;
  if (!next_event(r, &event)) /* stream start */
    return NULL;
  yaml_event_delete(&event);
  if (!next_event(r, &event))
    return NULL;
  bool is_none = event.type == YAML_STREAM_END_EVENT;
  yaml_event_delete(&event);
  if (is_none || !next_event(r, &event)) {
    if (is_none)
      report_empty(r);
    return NULL;
  }
  struct ssk_node *root = read_node(r, &event, 0);
  if (!root || !next_event(r, &event)) /* document end */
    return NULL;
  yaml_event_delete(&event);
  if (!next_event(r, &event))
    return NULL;
  if (event.type != YAML_STREAM_END_EVENT) {
    struct ssk_pos pos = place(r, event.start_mark, event.end_mark);
    fail(r, &pos, "a second document begins here");
    ssk_err_hint(r->err, "a recipe is one document in one file");
  }
  yaml_event_delete(&event);
  return root;
}

struct ssk_node *ssk_node_parse(struct ssk_arena *arena, const struct ssk_source *source,
                                ssk_err *err) {
  struct reader r = {.arena = arena, .source = source, .err = err};
  if (!copy_text(&r) || !check_text(&r))
    return NULL;
  if (!yaml_parser_initialize(&r.parser))
    return no_memory(&r);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, r.size);
  struct ssk_node *root = read_document(&r);
  yaml_parser_delete(&r.parser);
  return r.failed ? NULL : root;
}
