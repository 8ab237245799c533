// What this package calls of PJRT's C interface (OpenXLA, xla/pjrt/c/pjrt_c_api.h). Between versions of the same major number fields
// are only added at the ends, so that these layouts hold; a test compares them with the header that go-xla has.
#ifndef COMPILECACHE_PLUGIN_HOOK_H
#define COMPILECACHE_PLUGIN_HOOK_H

#include <stddef.h>

typedef void Opaque; // PJRT_Error, PJRT_Client, PJRT_Executable …

typedef struct {
	size_t size;
	void *extensions;
	char *code;
	size_t code_size;
	const char *format;
	size_t format_size;
} Program;

typedef struct {
	size_t size;
	void *extensions;
	Opaque *client;
	const Program *program;
	const char *options;
	size_t options_size;
	Opaque *executable; // out, loaded
} CompileArgs;

typedef struct {
	size_t size;
	void *extensions;
	Opaque *client;
	const char *bytes;
	size_t bytes_size;
	Opaque *executable; // out, loaded
	const char *options;
	size_t options_size;
} LoadArgs;

typedef struct {
	size_t size;
	void *extensions;
	const Opaque *executable;
	const char *bytes;
	size_t bytes_size;
	Opaque *owner;
	void (*release)(Opaque *owner);
} SerializeArgs;

typedef struct {
	size_t size;
	void *extensions;
	Opaque *loaded;
	Opaque *executable; // out
} ExecutableArgs;

typedef struct {
	size_t size;
	void *extensions;
	Opaque *object;
} ObjectArgs; // of Error_Destroy and Executable_Destroy

typedef struct {
	size_t size;
	void *extensions;
	Opaque *object;
	const char *text; // out
	size_t text_size;
} TextArgs; // of Error_Message, Client_PlatformName, Client_PlatformVersion and DeviceDescription_Kind

typedef struct {
	size_t size;
	void *extensions;
	Opaque *client;
	Opaque *const *devices; // out
	size_t count;
} DevicesArgs;

typedef struct {
	size_t size;
	void *extensions;
	Opaque *device;
	Opaque *description; // out
} DescriptionArgs;

typedef void Unused(void);

typedef struct {
	size_t size;
	void *extensions;
	struct {
		size_t size;
		void *extensions;
		int major, minor;
	} version;
	void (*error_destroy)(ObjectArgs *);
	void (*error_message)(TextArgs *);
	Unused *unused_2[10];
	Opaque *(*platform_name)(TextArgs *);
	Unused *unused_13[1];
	Opaque *(*platform_version)(TextArgs *);
	Unused *unused_15[1];
	Opaque *(*addressable_devices)(DevicesArgs *);
	Unused *unused_17[3];
	Opaque *(*compile)(CompileArgs *);
	Unused *unused_21[5];
	Opaque *(*device_kind)(TextArgs *);
	Unused *unused_27[2];
	Opaque *(*device_description)(DescriptionArgs *);
	Unused *unused_30[10];
	Opaque *(*executable_destroy)(ObjectArgs *);
	Unused *unused_41[8];
	Opaque *(*serialize)(SerializeArgs *);
	Unused *unused_50[1];
	Opaque *(*get_executable)(ExecutableArgs *);
	Unused *unused_52[4];
	Opaque *(*load)(LoadArgs *);
} Api;

// hook_open loads a plugin and returns its functions, or NULL and why in message.
const Api *hook_open(const char *path, const char **message);

// hook_copy is a copy of the functions in which compiling calls the Go function hookCompile with this slot; NULL where there are
// no more slots, the version is another or the plugin lacks what is needed.
Api *hook_copy(const Api *real, int slot);

enum { hook_slots = 8 };

// hook_serialize keeps a loaded program as bytes, until release(owner) of args.
Opaque *hook_serialize(const Api *real, Opaque *loaded, SerializeArgs *args);
void hook_release(const SerializeArgs *args);

// hook_load is the reverse.
Opaque *hook_load(const Api *real, Opaque *client, const void *bytes, size_t size, Opaque **loaded);

Opaque *hook_compile(const Api *real, CompileArgs *args);

// hook_message is what an error says; it lasts until hook_forget.
TextArgs hook_message(const Api *real, Opaque *error);
void hook_forget(const Api *real, Opaque *error);

// What a client runs on; of device i, for i from 0 until it is empty. Errors are empty too.
TextArgs hook_platform(const Api *real, Opaque *client);
TextArgs hook_version(const Api *real, Opaque *client);
TextArgs hook_device(const Api *real, Opaque *client, size_t i);

#endif
