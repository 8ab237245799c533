//go:build cgo && !noxla && (linux || darwin)

package plugin

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "hook.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
	"unsafe"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

// hooked is a plugin with a cache before it.
type hooked struct {
	real, copy *C.Api
	cache      *compilecache.Cache
	machine    []byte                 // what this process' machine code depends on, when the plugin was loaded
	hash       func() ([]byte, error) // of the plugin's file
}

// slots are the plugins of this process, by the number that hook.c calls them by.
var slots struct {
	sync.Mutex
	plugins []*hooked
}

func open(path string, cache *compilecache.Cache) (uintptr, error) {
	slots.Lock()
	defer slots.Unlock()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var message *C.char
	real := C.hook_open(name, &message)
	if real == nil {
		return 0, errors.New(C.GoString(message))
	}
	for _, known := range slots.plugins {
		if known.real == real {
			known.cache = cache
			return uintptr(unsafe.Pointer(known.copy)), nil
		}
	}
	copied := C.hook_copy(real, C.int(len(slots.plugins)))
	if copied == nil {
		return 0, fmt.Errorf("it cannot write programs, or is of another PJRT (%d.%d)", real.version.major, real.version.minor)
	}
	plugin := &hooked{real: real, copy: copied, cache: cache, machine: compilecache.Machine(), hash: hashLater(path)}
	slots.plugins = append(slots.plugins, plugin)
	return uintptr(unsafe.Pointer(copied)), nil
}

// hookCompile is what GoMLX compiles by.
//
//export hookCompile
func hookCompile(slot C.int, args *C.CompileArgs) unsafe.Pointer {
	slots.Lock()
	plugin, cache := slots.plugins[slot], slots.plugins[slot].cache
	slots.Unlock()
	key, err := plugin.key(args)
	if err != nil {
		compilecache.Count(func(c *compilecache.Counts) { c.Problem = err.Error() })
		return plugin.compile(args)
	}
	if plugin.load(cache, key, args) {
		return nil
	}
	failed := plugin.compile(args)
	if failed == nil {
		plugin.keep(cache, key, args)
	}
	return failed
}

// compile is the plugin's own; it returns a PJRT_Error.
func (p *hooked) compile(args *C.CompileArgs) unsafe.Pointer {
	began := time.Now()
	failed := C.hook_compile(p.real, args)
	compilecache.Count(func(c *compilecache.Counts) { c.Compiled++; c.CompileSeconds += time.Since(began).Seconds() })
	return failed
}

// key names a program by its text and options, the plugin, the devices of its client and the machine.
func (p *hooked) key(args *C.CompileArgs) (compilecache.Key, error) {
	hash, err := p.hash()
	if err != nil {
		return compilecache.Key{}, err
	}
	program := args.program
	return compilecache.NewKey(
		text(program.format, program.format_size), text(program.code, program.code_size), text(args.options, args.options_size),
		hash, p.devices(args.client), p.machine,
	), nil
}

// devices describes what a client runs on.
func (p *hooked) devices(client unsafe.Pointer) []byte {
	platform, version := C.hook_platform(p.real, client), C.hook_version(p.real, client)
	all := fmt.Appendf(nil, "%s %s\n", text(platform.text, platform.text_size), text(version.text, version.text_size))
	for i := C.size_t(0); ; i++ {
		device := C.hook_device(p.real, client, i)
		if device.text_size == 0 {
			return all
		}
		all = append(append(all, text(device.text, device.text_size)...), '\n')
	}
}

// load puts a kept program into args, where there is one that is whole.
func (p *hooked) load(cache *compilecache.Cache, key compilecache.Key, args *C.CompileArgs) bool {
	began := time.Now()
	program, err := cache.Load(key)
	if err == nil {
		err = p.failure(C.hook_load(p.real, args.client, unsafe.Pointer(unsafe.SliceData(program)), C.size_t(len(program)), &args.executable))
	}
	compilecache.Count(func(c *compilecache.Counts) {
		switch {
		case err == nil:
			c.Loaded++
			c.LoadSeconds += time.Since(began).Seconds()
		case !errors.Is(err, fs.ErrNotExist):
			c.Problem = err.Error()
		}
	})
	return err == nil
}

// keep stores what has just been compiled. Where that fails, the program runs all the same.
func (p *hooked) keep(cache *compilecache.Cache, key compilecache.Key, args *C.CompileArgs) {
	var written C.SerializeArgs
	err := p.failure(C.hook_serialize(p.real, args.executable, &written))
	if err == nil {
		err = cache.Store(key, text(written.bytes, written.bytes_size))
		C.hook_release(&written)
	}
	if err != nil {
		compilecache.Count(func(c *compilecache.Counts) { c.Problem = "a program was not kept: " + err.Error() })
	}
}

// failure turns a PJRT_Error into Go's, and frees it.
func (p *hooked) failure(failed unsafe.Pointer) error {
	if failed == nil {
		return nil
	}
	defer C.hook_forget(p.real, failed)
	message := C.hook_message(p.real, failed)
	return errors.New(string(text(message.text, message.text_size)))
}

// text is memory of C's, which is not copied.
func text(from *C.char, size C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(from)), int(size))
}
