#include "lib/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t len, char *out)
{
	const unsigned char *p = bytes;
	char *at = out;

	for (size_t i = 0; i < len; i += 3) {
		unsigned b = i + 1 < len ? p[i + 1] : 0, c = i + 2 < len ? p[i + 2] : 0;
		unsigned group = (unsigned)p[i] << 16 | b << 8 | c;
		*at++ = letters[group >> 18];
		*at++ = letters[group >> 12 & 63];
		*at++ = i + 1 < len ? letters[group >> 6 & 63] : '=';
		*at++ = i + 2 < len ? letters[group & 63] : '=';
	}
	return (size_t)(at - out);
}
