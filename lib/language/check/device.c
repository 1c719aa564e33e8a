/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include <stdlib.h>
#include <string.h>

/* A MAC as a device has it. */
struct claim {
	struct mac mac;
	size_t zone;
	bool narrowed;     /* the device has addresses, too */
	size_t device, at; /* which of its MACs */
};

/* Those that collide stand beside each other. */
static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = memcmp(&x->mac, &y->mac, sizeof(x->mac));

	if (order)
		return order;
	if (x->zone != y->zone)
		return x->zone < y->zone ? -1 : 1;
	if (x->narrowed != y->narrowed)
		return x->narrowed ? 1 : -1;
	return (x->device > y->device) - (x->device < y->device);
}

/* Nothing tells the two devices apart: where the address counts, too, it may. */
static bool collide(const struct policy *policy, const struct claim *a, const struct claim *b)
{
	if (!mac_equal(&a->mac, &b->mac) || a->device == b->device || a->zone != b->zone)
		return false;
	return policy->zones[a->zone].identity == POLICY_IDENTITY_MAC ||
	       (!a->narrowed && !b->narrowed);
}

static void tell(struct language *l, const struct claim *first, const struct claim *again)
{
	const struct language_device_note *notes = l->device_notes.v;
	const struct language_span *span = &notes[again->device].macs.v[again->at];
	const struct language_span *before = &notes[first->device].macs.v[first->at];

	language_fault(l, span,
		"device %s has this MAC, too, expected one device for it; first at %s:%u:%u",
		l->policy->devices[first->device].name.text,
		language_source_at(l, before->place.file)->name, before->place.line,
		before->place.column);
}

void language_check_devices_apart(struct language *l)
{
	const struct policy *policy = l->policy;
	size_t n = 0;

	for (size_t i = 0; i < policy->ndevices; i++)
		n += policy->devices[i].nmacs;
	struct claim *claims = calloc(n + 1, sizeof(*claims));
	if (!claims) {
		language_out_of_memory(l);
		return;
	}
	n = 0;
	for (size_t i = 0; i < policy->ndevices; i++) {
		const struct policy_device *device = &policy->devices[i];
		for (size_t j = 0; j < device->nmacs; j++)
			claims[n++] = (struct claim){device->macs[j], device->zone,
				device->addresses.n > 0 || device->list_names.n > 0, i, j};
	}
	qsort(claims, n, sizeof(*claims), compare);
	for (size_t i = 1; i < n && !l->stopped; i++)
		if (collide(policy, &claims[i - 1], &claims[i]))
			tell(l, &claims[i - 1], &claims[i]);
	free(claims);
}
