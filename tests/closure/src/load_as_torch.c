/* load_as_torch.exe [-d FOLDER]... DLL... : loads each DLL as torch/__init__.py does on Windows, and tells what the loader said.
   Each -d is AddDllDirectory; the same folders go in front of PATH before the second attempt. Paths are separated as given. */
#define UNICODE
#define _UNICODE
#include <windows.h>
#include <psapi.h>
#include <stdio.h>
#include <wchar.h>

static wchar_t path[32000];

int wmain(int count, wchar_t **words) {
    int patched = 0;
    setvbuf(stdout, 0, _IONBF, 0);
    SetErrorMode(SEM_FAILCRITICALERRORS);
    for (int i = 1; i < count; i++) {
        if (!wcscmp(words[i], L"-d")) {
            AddDllDirectory(words[++i]);
            wcscat(path, words[i]);
            wcscat(path, L";");
            continue;
        }
        printf("OPEN %ls\n", words[i]);
        HMODULE module = LoadLibraryExW(words[i], 0, 0x1100);
        DWORD first = module ? 0 : GetLastError(), second = 0;
        if (!module && first == 126) {
            if (!patched) {
                GetEnvironmentVariableW(L"PATH", path + wcslen(path), 16000);
                SetEnvironmentVariableW(L"PATH", path);
                patched = 1;
            }
            module = LoadLibraryW(words[i]);
            second = module ? 0 : GetLastError();
        }
        if (module) printf("OK\n");
        else printf("ERROR %lu %lu\n", first, second);
    }
    HMODULE modules[1024];
    DWORD size = 0;
    wchar_t name[2048];
    if (EnumProcessModules(GetCurrentProcess(), modules, sizeof modules, &size))
        for (DWORD i = 1; i < size / sizeof *modules && i < 1024; i++)
            if (GetModuleFileNameW(modules[i], name, 2048)) printf("LOADED %ls\n", name);
    return 0;
}
