/* Opens each argument in turn with dlopen(RTLD_NOW) and tells what the real loader said, then what is in the process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

static int show(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    if (info->dlpi_name && strchr(info->dlpi_name, '/')) printf("LOADED %s\n", info->dlpi_name);
    return 0;
}

int main(int count, char **names) {
    setvbuf(stdout, 0, _IONBF, 0);
    for (int i = 1; i < count; i++) {
        printf("OPEN %s\n", names[i]);
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_GLOBAL);
        const char *error = handle ? 0 : dlerror();
        printf(handle ? "OK\n" : "ERROR %s\n", error);
    }
    dl_iterate_phdr(show, 0);
    return 0;
}
