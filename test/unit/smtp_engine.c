#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HELLO                                                                                 \
	"c 220 gw.example ESMTP [f-1]\nC EHLO pc\nc 250-gw\nc 250-PIPE\nc 250-SIZE 1000000\n" \
	"c 250-8BIT\nc 250 ENH\n"
#define SERVER_HELLO "S 220 mx\ns EHLO gw.example\nS 250-mx\nS 250-8BITMIME\nS 250 SIZE 5000\n"

static struct talk talk;

static void begin(unsigned flags)
{
	talk_begin(&talk, flags);
	talk_greet(&talk);
}

static void test_a_message_goes_through_in_lock_step(void **state)
{
	(void)state;
	begin(0);
	talk_run(&talk, HELLO "C MAIL FROM:<a@x.example>\nc 250 2.1.0\ns\n"
			      "C RCPT TO:<b@y.example>\nw greeting\nc\n" SERVER_HELLO
			      "s MAIL FROM:<a@x.example>\ns\n"
			      "S 250 ok\ns RCPT TO:<b@y.example>\nc\n"
			      "S 250 2.1.5 yes\nc 250 2.1.5 yes\n"
			      "C DATA\ns DATA\nc\nS 354 go\nc 354 go\nw body\n"
			      "C Subject: x\nC \nC ..dot\nC .\n"
			      "s Subject: x\ns \ns ..dot\ns .\nw dot\nc\n"
			      "S 250 2.0.0 queued as 4711\nc 250 2.0.0 queued as 4711\n"
			      "E open; rcpt b 250; text 20; delivered 1/1 250\n"
			      "C QUIT\nc 221\ns QUIT\nw end\n");
	assert_int_equal(talk.closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_goes_through_in_lock_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
