/* A Level Zero "GPU driver" with no GPU, for tests of xpu-doctor.
 *
 *   gcc -shared -fPIC -O1 -o libze_fake.so.1 fake_ze_driver.c      (needs libze-dev)
 *   ZE_ENABLE_ALT_DRIVERS=$PWD/libze_fake.so.1 python3 probe.py    (through the REAL libze_loader.so.1)
 *
 * Configured by the environment:
 *   FAKE_ZE_DEVICES      "name|deviceid_hex|flags|mem_MiB|ddmm:bb:dd.f;..."  flags: i = integrated
 *   FAKE_ZE_DRIVER_VERSION  32-bit driverVersion, decimal or 0x..; NEO packs major.minor.build
 *   FAKE_ZE_API          e.g. 0x1000c  (1.12)
 *   FAKE_ZE_INIT_RESULT  ze_result_t that zeInit returns (e.g. 0x78000001)
 *   FAKE_ZE_DIE=CALL     dies of SIGSEGV in zeInit, zeDriverGet, zeDeviceGet or zeDeviceGetProperties
 *   FAKE_ZE_HANG=CALL    never returns from that call
 *   FAKE_ZE_LOG=1        one line per implemented call, on stderr
 */
#define _GNU_SOURCE
#include <level_zero/ze_api.h>
#include <level_zero/ze_ddi.h>
#include <level_zero/zes_api.h>
#include <level_zero/zes_ddi.h>
#include <level_zero/zet_api.h>
#include <level_zero/zet_ddi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define LOG(...) do { if (getenv("FAKE_ZE_LOG")) { fprintf(stderr, "[fake_ze] " __VA_ARGS__); fputc('\n', stderr); } } while (0)
#define MAXDEV 8

/* Newer loaders (>= 1.23, DDI extension on drivers' handles) read a handle as a struct: keep room and zeros. */
typedef struct { void *pad[8]; int idx; char name[ZE_MAX_DEVICE_NAME]; uint32_t id; int integrated; uint64_t mem;
                 uint32_t dom, bus, dev, fn; } fdev;
static struct { void *pad[8]; int x; } drv;
static fdev devs[MAXDEV];
static int ndev = -1;

static void load(void) {
  if (ndev >= 0) return;
  ndev = 0;
  const char *e = getenv("FAKE_ZE_DEVICES");
  char *s = strdup(e ? e : "Intel(R) Arc(TM) B580 Graphics|e20b||12216|0000:03:00.0"), *save = 0;
  for (char *t = strtok_r(s, ";", &save); t && ndev < MAXDEV; t = strtok_r(0, ";", &save)) {
    fdev *d = &devs[ndev]; char *f[5] = {"", "", "", "", ""}; int n = 0;
    for (char *p = t; p && n < 5;) { f[n++] = p; p = strchr(p, '|'); if (p) *p++ = 0; }
    snprintf(d->name, sizeof d->name, "%s", f[0]);
    d->id = (uint32_t)strtoul(f[1], 0, 16);
    d->integrated = strchr(f[2], 'i') != 0;
    d->mem = strtoull(f[3], 0, 10) << 20;
    sscanf(f[4], "%x:%x:%x.%x", &d->dom, &d->bus, &d->dev, &d->fn);
    d->idx = ndev++;
  }
  free(s);
}
static uint32_t envu(const char *k, uint32_t dflt) { const char *e = getenv(k); return e ? (uint32_t)strtoul(e, 0, 0) : dflt; }

static void fate(const char *call) {
  const char *die = getenv("FAKE_ZE_DIE"), *hang = getenv("FAKE_ZE_HANG");
  if (die && !strcmp(die, call)) *(volatile int *)0 = 1;
  if (hang && !strcmp(hang, call)) for (;;) sleep(60);
}

static ze_result_t ZE_APICALL unsupported(void) { LOG("(unsupported entry)"); return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE; }

/* ---- ze: global and driver ---- */
static ze_result_t ZE_APICALL Init(ze_init_flags_t f) { load(); fate("zeInit"); uint32_t r = envu("FAKE_ZE_INIT_RESULT", 0); LOG("zeInit(%u) -> 0x%x", f, r); return (ze_result_t)r; }
static ze_result_t ZE_APICALL DriverGet(uint32_t *n, ze_driver_handle_t *h) {
  load(); fate("zeDriverGet"); LOG("zeDriverGet");
  if (h && *n) h[0] = (ze_driver_handle_t)&drv;
  *n = 1; return ZE_RESULT_SUCCESS;
}
static ze_result_t ZE_APICALL InitDrivers(uint32_t *n, ze_driver_handle_t *h, void *desc) { /* spec >= 1.10 */
  uint32_t r = envu("FAKE_ZE_INIT_RESULT", 0); LOG("zeInitDrivers -> 0x%x", r); (void)desc;
  return r ? (ze_result_t)r : DriverGet(n, h);
}
static ze_result_t ZE_APICALL DriverGetApiVersion(ze_driver_handle_t h, ze_api_version_t *v) { LOG("zeDriverGetApiVersion"); *v = (ze_api_version_t)envu("FAKE_ZE_API", ZE_MAKE_VERSION(1, 12)); return 0; }
static ze_result_t ZE_APICALL DriverGetProperties(ze_driver_handle_t h, ze_driver_properties_t *p) {
  LOG("zeDriverGetProperties"); memset(&p->uuid, 0x42, sizeof p->uuid);
  p->driverVersion = envu("FAKE_ZE_DRIVER_VERSION", (1u << 24) | (14u << 16) | 36300u); return 0;
}
static const char *exts[] = {"ZE_extension_float_atomics", "ZE_experimental_relaxed_allocation_limits", "ZE_extension_device_ip_version"};
static ze_result_t ZE_APICALL DriverGetExtensionProperties(ze_driver_handle_t h, uint32_t *n, ze_driver_extension_properties_t *p) {
  LOG("zeDriverGetExtensionProperties"); uint32_t k = sizeof exts / sizeof *exts;
  if (p) for (uint32_t i = 0; i < k && i < *n; i++) { snprintf(p[i].name, sizeof p[i].name, "%s", exts[i]); p[i].version = 1; }
  *n = k; return 0;
}
static ze_result_t ZE_APICALL DriverGetIpcProperties(ze_driver_handle_t h, ze_driver_ipc_properties_t *p) { LOG("zeDriverGetIpcProperties"); p->flags = 0; return 0; }
static ze_result_t ZE_APICALL DriverGetExtensionFunctionAddress(ze_driver_handle_t h, const char *name, void **fp) { LOG("zeDriverGetExtensionFunctionAddress %s", name); *fp = 0; return ZE_RESULT_ERROR_INVALID_ARGUMENT; }
static ze_result_t ZE_APICALL DriverGetLastErrorDescription(ze_driver_handle_t h, const char **s) { *s = ""; return 0; }

/* ---- ze: device ---- */
static ze_result_t ZE_APICALL DeviceGet(ze_driver_handle_t h, uint32_t *n, ze_device_handle_t *d) {
  load(); LOG("zeDeviceGet (%d devices)", ndev);
  if (d) for (uint32_t i = 0; i < *n && i < (uint32_t)ndev; i++) d[i] = (ze_device_handle_t)&devs[i];
  *n = ndev; return 0;
}
static ze_result_t ZE_APICALL DeviceGetSubDevices(ze_device_handle_t h, uint32_t *n, ze_device_handle_t *d) { *n = 0; return 0; }
static ze_result_t ZE_APICALL DeviceGetRootDevice(ze_device_handle_t h, ze_device_handle_t *d) { *d = 0; return 0; }
static void fill(fdev *d, ze_device_properties_t *p) {
  p->type = ZE_DEVICE_TYPE_GPU; p->vendorId = 0x8086; p->deviceId = d->id;
  p->flags = d->integrated ? ZE_DEVICE_PROPERTY_FLAG_INTEGRATED : 0; p->subdeviceId = 0; p->coreClockRate = 2850;
  p->maxMemAllocSize = d->mem; p->maxHardwareContexts = 65536; p->maxCommandQueuePriority = 0;
  p->numThreadsPerEU = 8; p->physicalEUSimdWidth = 16; p->numEUsPerSubslice = 8; p->numSubslicesPerSlice = 4; p->numSlices = 5;
  p->timerResolution = 52; p->timestampValidBits = 64; p->kernelTimestampValidBits = 64;
  memset(&p->uuid, 0, sizeof p->uuid); p->uuid.id[0] = 0x86; p->uuid.id[1] = 0x80; p->uuid.id[2] = d->id & 255; p->uuid.id[3] = (d->id >> 8) & 255; p->uuid.id[8] = d->bus; p->uuid.id[15] = d->idx;
  memcpy(p->name, d->name, sizeof p->name);
}
static ze_result_t ZE_APICALL DeviceGetProperties(ze_device_handle_t h, ze_device_properties_t *p) { fate("zeDeviceGetProperties"); LOG("zeDeviceGetProperties"); fill((fdev *)h, p); return 0; }
static ze_result_t ZE_APICALL DeviceGetComputeProperties(ze_device_handle_t h, ze_device_compute_properties_t *p) {
  p->maxTotalGroupSize = p->maxGroupSizeX = p->maxGroupSizeY = p->maxGroupSizeZ = 1024;
  p->maxGroupCountX = p->maxGroupCountY = p->maxGroupCountZ = 0x7fffffff; p->maxSharedLocalMemory = 131072;
  p->numSubGroupSizes = 2; p->subGroupSizes[0] = 16; p->subGroupSizes[1] = 32; return 0;
}
static ze_result_t ZE_APICALL DeviceGetModuleProperties(ze_device_handle_t h, ze_device_module_properties_t *p) {
  p->spirvVersionSupported = ZE_MAKE_VERSION(1, 4); p->flags = ZE_DEVICE_MODULE_FLAG_FP16 | ZE_DEVICE_MODULE_FLAG_INT64_ATOMICS | (getenv("FAKE_ZE_FP64") ? ZE_DEVICE_MODULE_FLAG_FP64 : 0);
  p->fp16flags = p->fp32flags = 0x3f; p->fp64flags = getenv("FAKE_ZE_FP64") ? 0x3f : 0; p->maxArgumentsSize = 2048; p->printfBufferSize = 4 << 20; return 0;
}
static ze_result_t ZE_APICALL DeviceGetCommandQueueGroupProperties(ze_device_handle_t h, uint32_t *n, ze_command_queue_group_properties_t *p) {
  if (p) { p->flags = ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE | ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY; p->maxMemoryFillPatternSize = 128; p->numQueues = 1; }
  *n = 1; return 0;
}
static ze_result_t ZE_APICALL DeviceGetMemoryProperties(ze_device_handle_t h, uint32_t *n, ze_device_memory_properties_t *p) {
  if (p) { p->flags = 0; p->maxClockRate = 2400; p->maxBusWidth = 192; p->totalSize = ((fdev *)h)->mem; snprintf(p->name, sizeof p->name, "GDDR6"); }
  *n = 1; return 0;
}
static ze_result_t ZE_APICALL DeviceGetMemoryAccessProperties(ze_device_handle_t h, ze_device_memory_access_properties_t *p) {
  p->hostAllocCapabilities = p->deviceAllocCapabilities = p->sharedSingleDeviceAllocCapabilities = 7; p->sharedCrossDeviceAllocCapabilities = p->sharedSystemAllocCapabilities = 0; return 0;
}
static ze_result_t ZE_APICALL DeviceGetCacheProperties(ze_device_handle_t h, uint32_t *n, ze_device_cache_properties_t *p) { if (p) { p->flags = 0; p->cacheSize = 18 << 20; } *n = 1; return 0; }
static ze_result_t ZE_APICALL DeviceGetImageProperties(ze_device_handle_t h, ze_device_image_properties_t *p) { p->maxImageDims1D = p->maxImageDims2D = 16384; p->maxImageDims3D = 2048; p->maxImageBufferSize = 1 << 27; p->maxImageArraySlices = 2048; p->maxSamplers = 16; p->maxReadImageArgs = p->maxWriteImageArgs = 128; return 0; }
static ze_result_t ZE_APICALL DeviceGetStatus(ze_device_handle_t h) { return 0; }
static ze_result_t ZE_APICALL DevicePciGetPropertiesExt(ze_device_handle_t h, ze_pci_ext_properties_t *p) {
  fdev *d = (fdev *)h; p->address.domain = d->dom; p->address.bus = d->bus; p->address.device = d->dev; p->address.function = d->fn; p->maxSpeed.genVersion = 4; p->maxSpeed.width = 8; p->maxSpeed.maxBandwidth = -1; return 0;
}
static ze_result_t ZE_APICALL DeviceCanAccessPeer(ze_device_handle_t a, ze_device_handle_t b, ze_bool_t *v) { *v = a == b; return 0; }
static ze_result_t ZE_APICALL DeviceGetGlobalTimestamps(ze_device_handle_t h, uint64_t *a, uint64_t *b) { *a = *b = 1; return 0; }

/* ---- just enough of contexts, lists and USM for sycl::queue and sycl::malloc_device ---- */
static struct { void *pad[8]; } ctx;
static ze_result_t ZE_APICALL CtxCreate(ze_driver_handle_t h, const ze_context_desc_t *d, ze_context_handle_t *c) { LOG("zeContextCreate"); *c = (ze_context_handle_t)&ctx; return 0; }
static ze_result_t ZE_APICALL CtxCreateEx(ze_driver_handle_t h, const ze_context_desc_t *d, uint32_t n, ze_device_handle_t *dv, ze_context_handle_t *c) { return CtxCreate(h, d, c); }
static ze_result_t ZE_APICALL ok(void) { return 0; }
static ze_result_t ZE_APICALL NewHandle4(void *a, void *b, const void *d, void **out) { LOG("create"); *out = calloc(1, 256); return 0; }
static ze_result_t ZE_APICALL AllocHost(ze_context_handle_t c, const ze_host_mem_alloc_desc_t *d, size_t sz, size_t al, void **p) { *p = aligned_alloc(4096, (sz + 4095) & ~4095ul); return 0; }
static ze_result_t ZE_APICALL AllocDev(ze_context_handle_t c, const ze_device_mem_alloc_desc_t *d, size_t sz, size_t al, ze_device_handle_t h, void **p) { LOG("zeMemAllocDevice %zu", sz); *p = aligned_alloc(4096, (sz + 4095) & ~4095ul); return *p ? 0 : ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY; }
static ze_result_t ZE_APICALL Free(ze_context_handle_t c, void *p) { free(p); return 0; }

/* ---- zes ---- */
static ze_result_t ZE_APICALL zesPci(zes_device_handle_t h, zes_pci_properties_t *p) {
  fdev *d = (fdev *)h; p->address.domain = d->dom; p->address.bus = d->bus; p->address.device = d->dev; p->address.function = d->fn;
  p->maxSpeed.gen = 4; p->maxSpeed.width = 8; p->maxSpeed.maxBandwidth = -1; p->haveBandwidthCounters = p->havePacketCounters = p->haveReplayCounters = 0; return 0;
}
static ze_result_t ZE_APICALL zesProps(zes_device_handle_t h, zes_device_properties_t *p) {
  fill((fdev *)h, &p->core); p->numSubdevices = 0; strcpy(p->serialNumber, "unknown"); strcpy(p->boardNumber, "unknown"); strcpy(p->brandName, "unknown");
  memcpy(p->modelName, ((fdev *)h)->name, ZES_STRING_PROPERTY_SIZE); strcpy(p->vendorName, "Intel(R) Corporation"); strcpy(p->driverVersion, "FAKE"); return 0;
}

/* ---- tables: fill with 'unsupported', then the implemented ones ---- */
#define FILL(t) do { void **s_ = (void **)(t); for (size_t i_ = 0; i_ < sizeof *(t) / sizeof *s_; i_++) s_[i_] = (void *)unsupported; } while (0)
#define TABLE(fn, type) EXPORT ze_result_t ZE_APICALL fn(ze_api_version_t v, type *t) { LOG(#fn " v0x%x", v); FILL(t);
#define END return ZE_RESULT_SUCCESS; }
#define EMPTY(fn, type) TABLE(fn, type) END

typedef ze_result_t (ZE_APICALL *pfn_t)(void);
EXPORT ze_result_t ZE_APICALL zeGetGlobalProcAddrTable(ze_api_version_t v, ze_global_dditable_t *table) {
  void **t = (void **)table; LOG("zeGetGlobalProcAddrTable v0x%x", v); t[0] = (void *)Init;
  if (v >= ZE_MAKE_VERSION(1, 10)) t[1] = (void *)InitDrivers;       /* slot exists only since spec 1.10 */
  return 0; }
TABLE(zeGetDriverProcAddrTable, ze_driver_dditable_t)
  t->pfnGet = DriverGet; t->pfnGetApiVersion = DriverGetApiVersion; t->pfnGetProperties = DriverGetProperties; t->pfnGetIpcProperties = DriverGetIpcProperties;
  t->pfnGetExtensionProperties = DriverGetExtensionProperties; t->pfnGetExtensionFunctionAddress = DriverGetExtensionFunctionAddress;
  if (v >= ZE_MAKE_VERSION(1, 6)) ((void **)t)[6] = (void *)DriverGetLastErrorDescription; END
TABLE(zeGetDeviceProcAddrTable, ze_device_dditable_t)
  t->pfnGet = DeviceGet; t->pfnGetSubDevices = DeviceGetSubDevices; t->pfnGetProperties = DeviceGetProperties; t->pfnGetComputeProperties = DeviceGetComputeProperties;
  t->pfnGetModuleProperties = DeviceGetModuleProperties; t->pfnGetCommandQueueGroupProperties = DeviceGetCommandQueueGroupProperties;
  t->pfnGetMemoryProperties = DeviceGetMemoryProperties; t->pfnGetMemoryAccessProperties = DeviceGetMemoryAccessProperties; t->pfnGetCacheProperties = DeviceGetCacheProperties;
  t->pfnGetImageProperties = DeviceGetImageProperties; t->pfnCanAccessPeer = DeviceCanAccessPeer; t->pfnGetStatus = DeviceGetStatus; t->pfnGetGlobalTimestamps = DeviceGetGlobalTimestamps;
  t->pfnPciGetPropertiesExt = DevicePciGetPropertiesExt; t->pfnReserveCacheExt = (void *)unsupported;
  if (v >= ZE_MAKE_VERSION(1, 7)) ((void **)t)[sizeof *t / sizeof(void *)] = (void *)DeviceGetRootDevice; END
TABLE(zeGetContextProcAddrTable, ze_context_dditable_t) t->pfnCreate = CtxCreate; t->pfnCreateEx = CtxCreateEx; t->pfnDestroy = (void *)ok; t->pfnGetStatus = (void *)ok; END
TABLE(zeGetCommandQueueProcAddrTable, ze_command_queue_dditable_t) t->pfnCreate = (void *)NewHandle4; t->pfnDestroy = (void *)ok; t->pfnSynchronize = (void *)ok; t->pfnExecuteCommandLists = (void *)ok; END
TABLE(zeGetCommandListProcAddrTable, ze_command_list_dditable_t) t->pfnCreate = (void *)NewHandle4; t->pfnCreateImmediate = (void *)NewHandle4; t->pfnDestroy = (void *)ok; t->pfnReset = (void *)ok; t->pfnClose = (void *)ok; END
TABLE(zeGetMemProcAddrTable, ze_mem_dditable_t) t->pfnAllocHost = AllocHost; t->pfnAllocDevice = AllocDev; t->pfnFree = Free; END
EMPTY(zeGetDeviceExpProcAddrTable, ze_device_exp_dditable_t)
EMPTY(zeGetImageProcAddrTable, ze_image_dditable_t)
EMPTY(zeGetImageExpProcAddrTable, ze_image_exp_dditable_t)
EMPTY(zeGetFenceProcAddrTable, ze_fence_dditable_t)
EMPTY(zeGetEventPoolProcAddrTable, ze_event_pool_dditable_t)
EMPTY(zeGetEventProcAddrTable, ze_event_dditable_t)
EMPTY(zeGetEventExpProcAddrTable, ze_event_exp_dditable_t)
EMPTY(zeGetModuleProcAddrTable, ze_module_dditable_t)
EMPTY(zeGetModuleBuildLogProcAddrTable, ze_module_build_log_dditable_t)
EMPTY(zeGetKernelProcAddrTable, ze_kernel_dditable_t)
EMPTY(zeGetKernelExpProcAddrTable, ze_kernel_exp_dditable_t)
EMPTY(zeGetSamplerProcAddrTable, ze_sampler_dditable_t)
EMPTY(zeGetPhysicalMemProcAddrTable, ze_physical_mem_dditable_t)
EMPTY(zeGetVirtualMemProcAddrTable, ze_virtual_mem_dditable_t)
EMPTY(zeGetFabricVertexExpProcAddrTable, ze_fabric_vertex_exp_dditable_t)
EMPTY(zeGetFabricEdgeExpProcAddrTable, ze_fabric_edge_exp_dditable_t)
EMPTY(zesGetDriverProcAddrTable, zes_driver_dditable_t)
TABLE(zesGetDeviceProcAddrTable, zes_device_dditable_t) t->pfnPciGetProperties = zesPci; t->pfnGetProperties = zesProps; END
EMPTY(zesGetSchedulerProcAddrTable, zes_scheduler_dditable_t)
EMPTY(zesGetPerformanceFactorProcAddrTable, zes_performance_factor_dditable_t)
EMPTY(zesGetPowerProcAddrTable, zes_power_dditable_t)
EMPTY(zesGetFrequencyProcAddrTable, zes_frequency_dditable_t)
EMPTY(zesGetEngineProcAddrTable, zes_engine_dditable_t)
EMPTY(zesGetStandbyProcAddrTable, zes_standby_dditable_t)
EMPTY(zesGetFirmwareProcAddrTable, zes_firmware_dditable_t)
EMPTY(zesGetMemoryProcAddrTable, zes_memory_dditable_t)
EMPTY(zesGetFabricPortProcAddrTable, zes_fabric_port_dditable_t)
EMPTY(zesGetTemperatureProcAddrTable, zes_temperature_dditable_t)
EMPTY(zesGetPsuProcAddrTable, zes_psu_dditable_t)
EMPTY(zesGetFanProcAddrTable, zes_fan_dditable_t)
EMPTY(zesGetLedProcAddrTable, zes_led_dditable_t)
EMPTY(zesGetRasProcAddrTable, zes_ras_dditable_t)
EMPTY(zesGetDiagnosticsProcAddrTable, zes_diagnostics_dditable_t)
EMPTY(zetGetDeviceProcAddrTable, zet_device_dditable_t)
EMPTY(zetGetContextProcAddrTable, zet_context_dditable_t)
EMPTY(zetGetCommandListProcAddrTable, zet_command_list_dditable_t)
EMPTY(zetGetModuleProcAddrTable, zet_module_dditable_t)
EMPTY(zetGetKernelProcAddrTable, zet_kernel_dditable_t)
EMPTY(zetGetMetricGroupProcAddrTable, zet_metric_group_dditable_t)
EMPTY(zetGetMetricGroupExpProcAddrTable, zet_metric_group_exp_dditable_t)
EMPTY(zetGetMetricProcAddrTable, zet_metric_dditable_t)
EMPTY(zetGetMetricStreamerProcAddrTable, zet_metric_streamer_dditable_t)
EMPTY(zetGetMetricQueryPoolProcAddrTable, zet_metric_query_pool_dditable_t)
EMPTY(zetGetMetricQueryProcAddrTable, zet_metric_query_dditable_t)
EMPTY(zetGetTracerExpProcAddrTable, zet_tracer_exp_dditable_t)
EMPTY(zetGetDebugProcAddrTable, zet_debug_dditable_t)
