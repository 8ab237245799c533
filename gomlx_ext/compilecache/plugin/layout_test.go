//go:build cgo && !noxla && (linux || darwin)

package plugin_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func decodeKey(t *testing.T, file string, key []byte) {
	t.Helper()
	_, err := hex.Decode(key, []byte(strings.TrimSuffix(file, ".program")))
	require.NoError(t, err)
}

// layout compares hook.h with PJRT's own header, field by field.
const layout = `
#include "pjrt_c_api.h"
#include "hook.h"
#define SAME(ours, mine, theirs, name) \
	_Static_assert(offsetof(ours, mine) == offsetof(theirs, name), "offset of " #name); \
	_Static_assert(sizeof(((ours *)0)->mine) == sizeof(((theirs *)0)->name), "size of " #name);
SAME(Program, code, PJRT_Program, code)
SAME(Program, code_size, PJRT_Program, code_size)
SAME(Program, format, PJRT_Program, format)
SAME(Program, format_size, PJRT_Program, format_size)
SAME(CompileArgs, client, PJRT_Client_Compile_Args, client)
SAME(CompileArgs, program, PJRT_Client_Compile_Args, program)
SAME(CompileArgs, options, PJRT_Client_Compile_Args, compile_options)
SAME(CompileArgs, options_size, PJRT_Client_Compile_Args, compile_options_size)
SAME(CompileArgs, executable, PJRT_Client_Compile_Args, executable)
SAME(LoadArgs, client, PJRT_Executable_DeserializeAndLoad_Args, client)
SAME(LoadArgs, bytes, PJRT_Executable_DeserializeAndLoad_Args, serialized_executable)
SAME(LoadArgs, bytes_size, PJRT_Executable_DeserializeAndLoad_Args, serialized_executable_size)
SAME(LoadArgs, executable, PJRT_Executable_DeserializeAndLoad_Args, loaded_executable)
SAME(LoadArgs, options, PJRT_Executable_DeserializeAndLoad_Args, overridden_serialized_compile_options)
SAME(LoadArgs, options_size, PJRT_Executable_DeserializeAndLoad_Args, overridden_serialized_compile_options_size)
SAME(SerializeArgs, executable, PJRT_Executable_Serialize_Args, executable)
SAME(SerializeArgs, bytes, PJRT_Executable_Serialize_Args, serialized_bytes)
SAME(SerializeArgs, bytes_size, PJRT_Executable_Serialize_Args, serialized_bytes_size)
SAME(SerializeArgs, owner, PJRT_Executable_Serialize_Args, serialized_executable)
SAME(SerializeArgs, release, PJRT_Executable_Serialize_Args, serialized_executable_deleter)
SAME(ExecutableArgs, loaded, PJRT_LoadedExecutable_GetExecutable_Args, loaded_executable)
SAME(ExecutableArgs, executable, PJRT_LoadedExecutable_GetExecutable_Args, executable)
SAME(ObjectArgs, object, PJRT_Error_Destroy_Args, error)
SAME(ObjectArgs, object, PJRT_Executable_Destroy_Args, executable)
SAME(TextArgs, object, PJRT_Error_Message_Args, error)
SAME(TextArgs, text, PJRT_Error_Message_Args, message)
SAME(TextArgs, text_size, PJRT_Error_Message_Args, message_size)
SAME(TextArgs, text, PJRT_Client_PlatformName_Args, platform_name)
SAME(TextArgs, text_size, PJRT_Client_PlatformName_Args, platform_name_size)
SAME(TextArgs, text, PJRT_Client_PlatformVersion_Args, platform_version)
SAME(TextArgs, text_size, PJRT_Client_PlatformVersion_Args, platform_version_size)
SAME(TextArgs, text, PJRT_DeviceDescription_Kind_Args, device_kind)
SAME(TextArgs, text_size, PJRT_DeviceDescription_Kind_Args, device_kind_size)
SAME(DevicesArgs, client, PJRT_Client_AddressableDevices_Args, client)
SAME(DevicesArgs, devices, PJRT_Client_AddressableDevices_Args, addressable_devices)
SAME(DevicesArgs, count, PJRT_Client_AddressableDevices_Args, num_addressable_devices)
SAME(DescriptionArgs, device, PJRT_Device_GetDescription_Args, device)
SAME(DescriptionArgs, description, PJRT_Device_GetDescription_Args, device_description)
SAME(Api, size, PJRT_Api, struct_size)
SAME(Api, version.major, PJRT_Api, pjrt_api_version.major_version)
SAME(Api, version.minor, PJRT_Api, pjrt_api_version.minor_version)
SAME(Api, error_destroy, PJRT_Api, PJRT_Error_Destroy)
SAME(Api, error_message, PJRT_Api, PJRT_Error_Message)
SAME(Api, platform_name, PJRT_Api, PJRT_Client_PlatformName)
SAME(Api, platform_version, PJRT_Api, PJRT_Client_PlatformVersion)
SAME(Api, addressable_devices, PJRT_Api, PJRT_Client_AddressableDevices)
SAME(Api, compile, PJRT_Api, PJRT_Client_Compile)
SAME(Api, device_kind, PJRT_Api, PJRT_DeviceDescription_Kind)
SAME(Api, device_description, PJRT_Api, PJRT_Device_GetDescription)
SAME(Api, executable_destroy, PJRT_Api, PJRT_Executable_Destroy)
SAME(Api, serialize, PJRT_Api, PJRT_Executable_Serialize)
SAME(Api, get_executable, PJRT_Api, PJRT_LoadedExecutable_GetExecutable)
SAME(Api, load, PJRT_Api, PJRT_Executable_DeserializeAndLoad)
`

func TestTheLayoutsAreThoseOfPJRTsHeader(t *testing.T) {
	header, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/gomlx/go-xla/pjrt").Output()
	require.NoError(t, err)
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler is called cc")
	}
	source := filepath.Join(t.TempDir(), "layout.c")
	require.NoError(t, os.WriteFile(source, []byte(layout), 0o600))
	said, err := exec.Command(compiler, "-std=c11", "-fsyntax-only", "-I.", "-I"+strings.TrimSpace(string(header)), source).CombinedOutput()
	require.NoError(t, err, string(said))
}
