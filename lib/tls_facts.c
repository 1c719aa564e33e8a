#include "lib/tls_facts.h"

const char *const tls_version_names[TLS_VERSIONS] = {
	[TLS_VERSION_NONE] = "",
	[TLS_VERSION_1_0] = "TLSv1",
	[TLS_VERSION_1_1] = "TLSv1.1",
	[TLS_VERSION_1_2] = "TLSv1.2",
	[TLS_VERSION_1_3] = "TLSv1.3",
};

const char *const tls_reason_names[TLS_REASONS] = {
#define TLS_REASON_NAME(id, name, words) name,
	TLS_REASON_TABLE(TLS_REASON_NAME)
#undef TLS_REASON_NAME
};

const char *const tls_reason_words[TLS_REASONS] = {
#define TLS_REASON_WORDS(id, name, words) words,
	TLS_REASON_TABLE(TLS_REASON_WORDS)
#undef TLS_REASON_WORDS
};
