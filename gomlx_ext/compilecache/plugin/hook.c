//go:build cgo && !noxla && (linux || darwin)

#include "hook.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

const Api *hook_open(const char *path, const char **message) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL); // stays open, as go-xla's does
	const Api *(*get)(void) = library ? (const Api *(*)(void))dlsym(library, "GetPjrtApi") : NULL;
	if (!get) {
		*message = dlerror();
		return NULL;
	}
	const Api *api = get();
	if (!api) {
		*message = "it has no functions";
	}
	return api;
}

// PJRT tells a function nothing of where it was called from: one function a slot.
#define SLOT(n) \
	static Opaque *compile_##n(CompileArgs *args) { return hookCompile(n, args); }
SLOT(0) SLOT(1) SLOT(2) SLOT(3) SLOT(4) SLOT(5) SLOT(6) SLOT(7)
static Opaque *(*const compilers[hook_slots])(CompileArgs *) = {
	compile_0, compile_1, compile_2, compile_3, compile_4, compile_5, compile_6, compile_7,
};

Api *hook_copy(const Api *real, int slot) {
	if (slot >= hook_slots || real->version.major != 0 || real->size < sizeof(Api)) {
		return NULL;
	}
	if (!real->compile || !real->serialize || !real->load || !real->get_executable) {
		return NULL;
	}
	Api *copy = malloc(real->size);
	if (copy) {
		memcpy(copy, real, real->size);
		copy->compile = compilers[slot];
	}
	return copy;
}

Opaque *hook_compile(const Api *real, CompileArgs *args) { return real->compile(args); }

Opaque *hook_serialize(const Api *real, Opaque *loaded, SerializeArgs *args) {
	ExecutableArgs of = {sizeof of, NULL, loaded, NULL};
	Opaque *error = real->get_executable(&of);
	if (error) {
		return error;
	}
	*args = (SerializeArgs){sizeof *args, NULL, of.executable};
	error = real->serialize(args);
	ObjectArgs done = {sizeof done, NULL, of.executable};
	Opaque *late = real->executable_destroy(&done);
	if (late && !error) {
		hook_forget(real, late);
	}
	return error;
}

void hook_release(const SerializeArgs *args) { args->release(args->owner); }

Opaque *hook_load(const Api *real, Opaque *client, const void *bytes, size_t size, Opaque **loaded) {
	LoadArgs args = {sizeof args, NULL, client, bytes, size};
	Opaque *error = real->load(&args);
	*loaded = args.executable;
	return error;
}

TextArgs hook_message(const Api *real, Opaque *error) {
	TextArgs args = {sizeof args, NULL, error};
	real->error_message(&args);
	return args;
}

void hook_forget(const Api *real, Opaque *error) {
	ObjectArgs args = {sizeof args, NULL, error};
	real->error_destroy(&args);
}

// text asks one function for a text, empty on errors.
static TextArgs text(const Api *real, Opaque *(*ask)(TextArgs *), Opaque *object) {
	TextArgs args = {sizeof args, NULL, object};
	Opaque *error = ask(&args);
	if (error) {
		hook_forget(real, error);
		args.text_size = 0;
	}
	return args;
}

TextArgs hook_platform(const Api *real, Opaque *client) { return text(real, real->platform_name, client); }

TextArgs hook_version(const Api *real, Opaque *client) { return text(real, real->platform_version, client); }

TextArgs hook_device(const Api *real, Opaque *client, size_t i) {
	TextArgs none = {0};
	DevicesArgs all = {sizeof all, NULL, client};
	Opaque *error = real->addressable_devices(&all);
	if (!error && i < all.count) {
		DescriptionArgs args = {sizeof args, NULL, all.devices[i]};
		error = real->device_description(&args);
		if (!error) {
			return text(real, real->device_kind, args.description);
		}
	}
	if (error) {
		hook_forget(real, error);
	}
	return none;
}
