// A StringEnumeration over ICU's C enumerations: a private header of ICU that Debian does not ship.
#ifndef ART_RIG_USTRENUM_H
#define ART_RIG_USTRENUM_H
#include <unicode/strenum.h>
#include <unicode/uenum.h>
#include <unicode/unistr.h>

U_NAMESPACE_BEGIN
class UStringEnumeration : public StringEnumeration {
  UEnumeration *const inner;
  UnicodeString current;

public:
  UStringEnumeration(UEnumeration *of) : inner(of) {}
  ~UStringEnumeration() override { uenum_close(inner); }
  UClassID getDynamicClassID() const override {
    static char id;
    return &id;
  }
  void reset(UErrorCode &status) override { uenum_reset(inner, &status); }
  int32_t count(UErrorCode &status) const override { return uenum_count(inner, &status); }
  const char *next(int32_t *length, UErrorCode &status) override { return uenum_next(inner, length, &status); }
  const UnicodeString *snext(UErrorCode &status) override {
    int32_t length = 0;
    const UChar *text = uenum_unext(inner, &length, &status);
    return text == nullptr || U_FAILURE(status) ? nullptr : &current.setTo(text, length);
  }
};
U_NAMESPACE_END
#endif
