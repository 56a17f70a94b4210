/* A DLL that imports one function from each of some others: -DIMPORTS='X(name) X(name)' -DEXPORT=name */
#define X(name) __declspec(dllimport) int name(void);
IMPORTS
#undef X
__declspec(dllexport) int EXPORT(void) {
    int sum = 1;
#define X(name) sum += name();
    IMPORTS
#undef X
    return sum;
}
