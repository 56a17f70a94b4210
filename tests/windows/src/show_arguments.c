/* A program that writes what it was started with to the file %ARGUMENTS_LOG%: its words and some variables, as UTF-8, each ended by a zero byte,
   then a line end. It fails where %FAILS_WITH% is one of its words. */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static void put(FILE *log, const wchar_t *text)
{
    static char bytes[32768];
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, sizeof bytes, NULL, NULL);
    fwrite(bytes, 1, size, log);
}

int wmain(int count, wchar_t **words)
{
    static wchar_t path[4096], value[4096], fails[4096];
    int failed = 0;
    if (!GetEnvironmentVariableW(L"ARGUMENTS_LOG", path, 4096))
        return 9;
    if (!GetEnvironmentVariableW(L"FAILS_WITH", fails, 4096))
        fails[0] = 0;
    FILE *log = _wfopen(path, L"ab");
    if (!log)
        return 9;
    const wchar_t *names[] = {L"PIP_CONFIG_FILE", L"PYTHONPATH", L"PYTHONNOUSERSITE"};
    for (int number = 0; number < 3; number++) {
        value[0] = 0;
        GetEnvironmentVariableW(names[number], value, 4096);
        put(log, value);
    }
    for (int number = 0; number < count; number++) {
        put(log, words[number]);
        failed |= fails[0] && !wcscmp(fails, words[number]);
    }
    fwrite("\n", 1, 1, log);
    fclose(log);
    return failed;
}
