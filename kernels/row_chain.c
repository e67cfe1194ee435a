/* Operations on rows that follow each other, done for a few rows at a time: what one leaves in a cache, the next finds
 * there, and what only these operations read is never anywhere else.
 *
 * Arguments: 0 memory of the threads, 1 bytes of it for each, 2 rows at a time, 3 how many operations; then for each: which
 * operation, how many arguments, how many of them are in a thread's memory, for each of these which argument, bytes
 * from the start of the thread's memory, and bytes of a row; then the arguments. Shares are of chunks of rows, so that
 * sums over them are taken as they are elsewhere. */
#define HH_CHAIN_ARGUMENTS 16

static const hh_word *chain_link(const hh_word *a, hh_call each, char *memory) {
  hh_word arguments[HH_CHAIN_ARGUMENTS];
  const int64_t count = a[1], kept = a[2];
  const hh_word *places = a + 3, *given = places + 3 * kept;
  for (int64_t i = 0; i < count; i++) arguments[i] = given[i];
  for (int64_t i = 0; i < kept; i++, places += 3) /* where row 0 would be */
    arguments[places[0]] = (hh_word)(intptr_t)memory + places[1] - each.first_row * places[2];
  each.arguments = arguments;
  HH_TABLE(HH_ISA)[a[0]](&each);
  return given + count;
}

static void row_chain(const hh_call *call) {
  const hh_word *a = call->arguments;
  char *memory = (char *)address(a[0]) + call->thread * a[1];
  const row_range rows = chunk_rows_of(call);
  for (int64_t chunk = rows.first; chunk < rows.end; chunk += HH_CHUNK_ROWS) {
    const int64_t left = rows.end - chunk, end = chunk + (left < HH_CHUNK_ROWS ? left : HH_CHUNK_ROWS);
    for (int64_t row = chunk; row < end; row += a[2]) {
      hh_call each = *call;
      each.first_row = (int32_t)row;
      each.end_row = (int32_t)(row + a[2] < end ? row + a[2] : end);
      const hh_word *link = a + 4;
      for (int64_t i = 0; i < a[3]; i++) link = chain_link(link, each, memory);
    }
  }
}
