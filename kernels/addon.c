/* The C runtime as a Node addon: the functions of hitherto.h over addresses as plain numbers.
 *
 * Its one caller is src/backends/cpu/native-runtime.node.ts, which checks what users can get wrong. */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>

#include "hitherto.h"

#define MAX_ARGUMENTS 8

typedef struct {
  napi_value value[MAX_ARGUMENTS];
} arguments;

static arguments arguments_of(napi_env env, napi_callback_info info) {
  arguments a;
  size_t count = MAX_ARGUMENTS; /* those that are not given are undefined */
  napi_get_cb_info(env, info, &count, a.value, NULL, NULL);
  return a;
}

/* A whole number: an address, a size, a choice. 0 for anything else. */
static int64_t integer(napi_env env, napi_value value) {
  int64_t result = 0;
  napi_get_value_int64(env, value, &result);
  return result;
}

static void *pointer(napi_env env, napi_value value) { return (void *)(intptr_t)integer(env, value); }

static napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

/* What the sources were that this was compiled from, as tools/native.ts says; empty where something else compiles it. */
#ifndef HH_BUILT_FROM
#define HH_BUILT_FROM ""
#endif

/* builtFrom(): text */
static napi_value built_from(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_string_utf8(env, HH_BUILT_FROM, NAPI_AUTO_LENGTH, &result);
  return result;
}

/* instructionSets(): bit set */
static napi_value instruction_sets(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, hh_instruction_sets());
}

/* create(threads, instructionSet): address of a runtime, or 0 */
static napi_value create(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  return number(env, (double)(intptr_t)hh_create((int32_t)integer(env, a.value[0]), (int32_t)integer(env, a.value[1])));
}

/* destroy(runtime) */
static napi_value destroy(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  hh_destroy(pointer(env, a.value[0]));
  return NULL;
}

/* allocate(bytes): address, or 0 */
static napi_value allocate(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  return number(env, (double)(intptr_t)hh_allocate((size_t)integer(env, a.value[0])));
}

/* release(address, bytes) */
static napi_value release(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  hh_release(pointer(env, a.value[0]), (size_t)integer(env, a.value[1]));
  return NULL;
}

/* preferLargePages(address, bytes) */
static napi_value prefer_large_pages(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  hh_prefer_large_pages(pointer(env, a.value[0]), (size_t)integer(env, a.value[1]));
  return NULL;
}

static void keep(napi_env env, void *data, void *hint) { (void)env, (void)data, (void)hint; }

/* view(address, bytes): ArrayBuffer over that memory, which it does not own. Once per address, says V8. */
static napi_value view(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  napi_value result = NULL;
  napi_create_external_arraybuffer(env, pointer(env, a.value[0]), (size_t)integer(env, a.value[1]), keep, NULL, &result);
  return result;
}

/* detach(ArrayBuffer): it becomes empty; for before the memory is released */
static napi_value detach(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  napi_detach_arraybuffer(env, a.value[0]);
  return NULL;
}

/* packedBytes(storage, out, in) */
static napi_value packed_bytes(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  return number(env, (double)hh_packed_bytes((int32_t)integer(env, a.value[0]), integer(env, a.value[1]),
                                             integer(env, a.value[2])));
}

/* run(runtime, plan, words, live, times) */
static napi_value run(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  hh_run(pointer(env, a.value[0]), pointer(env, a.value[1]), integer(env, a.value[2]), pointer(env, a.value[3]),
         pointer(env, a.value[4]));
  return NULL;
}

/* Work that is done off the event loop: a run, or the packing of rows. */
typedef struct {
  int64_t argument[7];
  void (*execute)(const int64_t *argument);
  napi_async_work work;
  napi_deferred deferred;
} job;

static void execute_job(napi_env env, void *data) {
  (void)env;
  const job *j = data;
  j->execute(j->argument);
}

static void complete_job(napi_env env, napi_status status, void *data) {
  (void)status;
  job *j = data;
  napi_value nothing;
  napi_get_undefined(env, &nothing);
  napi_resolve_deferred(env, j->deferred, nothing);
  napi_delete_async_work(env, j->work);
  free(j);
}

/* Promise of what `execute` does with the arguments, all of them whole numbers. */
static napi_value promise_of(napi_env env, napi_callback_info info, void (*execute)(const int64_t *argument)) {
  const arguments a = arguments_of(env, info);
  job *j = malloc(sizeof(job));
  if (j == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  *j = (job){.execute = execute};
  for (int i = 0; i < 7; i++) j->argument[i] = integer(env, a.value[i]);
  napi_value promise, name;
  napi_create_promise(env, &j->deferred, &promise);
  napi_create_string_utf8(env, "hitherto", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute_job, complete_job, j, &j->work);
  napi_queue_async_work(env, j->work);
  return promise;
}

static void *at(int64_t address) { return (void *)(intptr_t)address; }

static void execute_run(const int64_t *a) { hh_run(at(a[0]), at(a[1]), a[2], at(a[3]), at(a[4])); }

/* runAsync(runtime, plan, words, live, times): Promise */
static napi_value run_async(napi_env env, napi_callback_info info) { return promise_of(env, info, execute_run); }

static void execute_pack(const int64_t *a) {
  hh_pack_rows(at(a[0]), at(a[1]), (int32_t)a[2], a[3], a[4], a[5], a[6]);
}

/* packRows(matrix, rows, storage, out, in, first, count): Promise */
static napi_value pack_rows(napi_env env, napi_callback_info info) { return promise_of(env, info, execute_pack); }

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
#define EXPORT(name, function) {name, NULL, function, NULL, NULL, NULL, napi_default, NULL}
      EXPORT("builtFrom", built_from), EXPORT("instructionSets", instruction_sets), EXPORT("create", create),
      EXPORT("destroy", destroy), EXPORT("allocate", allocate),
      EXPORT("release", release), EXPORT("preferLargePages", prefer_large_pages),
      EXPORT("view", view),
      EXPORT("detach", detach), EXPORT("packedBytes", packed_bytes),
      EXPORT("packRows", pack_rows), EXPORT("run", run),
      EXPORT("runAsync", run_async),
#undef EXPORT
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
