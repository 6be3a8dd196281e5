// lib7z.so: libbacktrace wants it to unpack debug information when it prints a native stack. Nothing is unpacked here.
enum { FAILED = 1 };

void Crc64GenerateTable(void) {}
void CrcGenerateTable(void) {}
void XzUnpacker_Construct(void *self, const void *allocator) { (void)self, (void)allocator; }
int XzUnpacker_Code(void *self) { return (void)self, FAILED; }
void XzUnpacker_Free(void *self) { (void)self; }
int XzUnpacker_IsStreamWasFinished(const void *self) { return (void)self, 0; }
