/* A Level Zero loader without a driver: zeInit returns what %STUB_ZE_INIT% says. */
#include <stdlib.h>

__declspec(dllexport) int zeInit(int flags)
{
    const char *said = getenv("STUB_ZE_INIT");
    return said ? (int)strtoul(said, NULL, 0) : 0x78000001;
}

__declspec(dllexport) int zeInitDrivers(unsigned *count, void *drivers, void *kinds)
{
    *count = 0;
    return zeInit(0);
}

__declspec(dllexport) int zeDriverGet(unsigned *count, void *drivers)
{
    *count = 0;
    return 0;
}

__declspec(dllexport) int zeDeviceGetRootDevice(void *device, void *root)
{
    return 0;
}
