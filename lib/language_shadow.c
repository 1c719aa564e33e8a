#include "lib/language_parse.h"
void language_check_shadow(struct language *l)
{
	(void)l;
}
