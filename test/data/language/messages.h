/* Each mistake: its name, a text that makes it, and the whole message. Read by
 * test/unit/language.c. */
/* clang-format off */
	{"unknown statement",
		"zone z {\n"
		"\tinterface eth0\n"
		"\tlesae 5m\n"
		"}",
		"p.conf:3:2: error: unexpected \"lesae\", expected comment, identity, idle, interface, lease, level, limit, network, newline, on-failure, on-link-down, on-logout, port, reauthenticate, tls, unauthenticated, unmatched, ',' or '}'\n"
		"\tlesae 5m\n"
		"\t^~~~~\n"
		"did you mean \"lease\"?"},
	{"unknown word at the top",
		"zoen z { interface eth0 }",
		"p.conf:1:1: error: unexpected \"zoen\", expected audit, auth, certificate, device, domain, drain, hostname, include, language, limit, list, listener, log, metrics, on-failure, portal, radius, rule, scan, server or zone\n"
		"zoen z { interface eth0 }\n"
		"^~~~\n"
		"did you mean \"zone\"?"},
	{"missing brace",
		"zone z { interface eth0\n",
		"p.conf:2:1: error: unexpected end of the text, expected comment, identity, idle, interface, lease, level, limit, network, newline, on-failure, on-link-down, on-logout, port, reauthenticate, tls, unauthenticated, unmatched, ',' or '}'\n"
		"\n"
		"^\n"
		"the '{' at 1:8 is not closed"},
	{"reserved name",
		"zone file { interface eth0 }",
		"p.conf:1:6: error: unexpected \"file\", expected a name\n"
		"zone file { interface eth0 }\n"
		"     ^~~~\n"
		"\"file\" is a reserved word"},
	{"a domain without quotes",
		"server s { host 192.0.2.1 }\ndomain d { name hotel.example server s }",
		"p.conf:2:17: error: no such list \"hotel.example\"; there are no lists; a domain or a host stands in quotes\n"
		"domain d { name hotel.example server s }\n"
		"                ^~~~~~~~~~~~~"},
	{"a rule for nobody",
		"rule r { user none verdict drop }",
		"p.conf:1:10: error: rule r is for who is not logged in, expected `recipient protected` with nothing beside it, and no group\n"
		"rule r { user none verdict drop }\n"
		"         ^~~~"},
	{"quoted name",
		"zone \"z\" { interface eth0 }",
		"p.conf:1:6: error: unexpected string \"z\", expected a name\n"
		"zone \"z\" { interface eth0 }\n"
		"     ^~~\n"
		"a name begins with a letter and has only A-Z a-z 0-9 . _ and -"},
	{"bad name",
		"zone g\303\244ste { interface eth0 }",
		"p.conf:1:6: error: unexpected \"g\303\244ste\", expected a name\n"
		"zone g\303\244ste { interface eth0 }\n"
		"     ^~~~~\n"
		"a name begins with a letter and has only A-Z a-z 0-9 . _ and -"},
	{"name too long",
		"list nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn dynamic",
		"p.conf:1:6: error: the name \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\" is too long, expected at most 63 characters\n"
		"list nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn dynamic\n"
		"     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
	{"name with a plus",
		"list mac+address dynamic",
		"p.conf:1:6: error: \"mac+address\" is no name, expected only A-Z a-z 0-9 . _ and -\n"
		"list mac+address dynamic\n"
		"     ^~~~~~~~~~~"},
	{"string without end",
		"hostname \"gw\n"
		"on-failure open",
		"p.conf:1:10: error: this string does not end, expected \" before the end of the line\n"
		"hostname \"gw\n"
		"         ^"},
	{"unknown escape",
		"hostname \"a\\n\"",
		"p.conf:1:12: error: unknown escape, expected \\\" for a quote or \\\\ for a backslash\n"
		"hostname \"a\\n\"\n"
		"           ^"},
	{"dollar",
		"rule r { user $x verdict drop }",
		"p.conf:1:15: error: '$' is reserved, expected a word without it or a string in quotes\n"
		"rule r { user $x verdict drop }\n"
		"              ^"},
	{"control character",
		"hostname \"a\tb\"",
		"p.conf:1:12: error: control character 0x09, expected text without control characters\n"
		"hostname \"a\tb\"\n"
		"           ^"},
	{"two hostnames",
		"hostname a\n"
		"hostname b",
		"p.conf:2:1: error: \"hostname\" stands twice, expected once; first at 1:1\n"
		"hostname b\n"
		"^~~~~~~~"},
	{"two leases",
		"zone z { interface eth0 lease 5m lease 6m }",
		"p.conf:1:34: error: \"lease\" stands twice in zone z, expected once; first at 1:25\n"
		"zone z { interface eth0 lease 5m lease 6m }\n"
		"                                 ^~~~~"},
	{"two limits of a kind",
		"zone z { interface eth0 limit flows 5 per user limit flows 6 per user }",
		"p.conf:1:48: error: \"limit flows per user\" stands twice in zone z, expected once; first at 1:25\n"
		"zone z { interface eth0 limit flows 5 per user limit flows 6 per user }\n"
		"                                               ^~~~~"},
	{"two limits at the top",
		"limit flows 5 limit flows 6",
		"p.conf:1:15: error: \"limit flows\" stands twice, expected once; first at 1:1\n"
		"limit flows 5 limit flows 6\n"
		"              ^~~~~"},
	{"two ports of a host",
		"server s { host 192.0.2.7 port 25 port 26 }",
		"p.conf:1:35: error: \"port\" stands twice in host, expected once; first at 1:27\n"
		"server s { host 192.0.2.7 port 25 port 26 }\n"
		"                                  ^~~~"},
	{"two deadlines",
		"server s { host 192.0.2.7 deadline first 5s first 6s }",
		"p.conf:1:45: error: \"deadline first\" stands twice in server s, expected once; first at 1:36\n"
		"server s { host 192.0.2.7 deadline first 5s first 6s }\n"
		"                                            ^~~~~"},
	{"two audits",
		"audit { keep 5d }\n"
		"audit { size 1g }",
		"p.conf:2:1: error: \"audit\" stands twice, expected once; first at 1:1\n"
		"audit { size 1g }\n"
		"^~~~~"},
	{"two keeps",
		"audit { keep 5d keep 6d }",
		"p.conf:1:17: error: \"keep\" stands twice in audit, expected once; first at 1:9\n"
		"audit { keep 5d keep 6d }\n"
		"                ^~~~"},
	{"two sources",
		"rule r { source any source any verdict drop }",
		"p.conf:1:21: error: \"source\" stands twice in rule r, expected once; first at 1:10\n"
		"rule r { source any source any verdict drop }\n"
		"                    ^~~~~~"},
	{"two languages",
		"language 1\n"
		"language 1",
		"p.conf:2:1: error: \"language\" stands twice, expected once; first at 1:1\n"
		"language 1\n"
		"^~~~~~~~"},
	{"two zones of a name",
		"zone z { interface eth0 }\n"
		"zone z { interface eth1 }",
		"p.conf:2:6: error: zone \"z\" stands twice, expected a new name; first at p.conf:1:6\n"
		"zone z { interface eth1 }\n"
		"     ^"},
	{"two lists of a name",
		"list l dynamic\n"
		"list l { }",
		"p.conf:2:6: error: list \"l\" stands twice, expected a new name; first at p.conf:1:6\n"
		"list l { }\n"
		"     ^"},
	{"two servers of a name",
		"server s { host 192.0.2.7 }\n"
		"server s { host 192.0.2.8 }",
		"p.conf:2:8: error: server \"s\" stands twice, expected a new name; first at p.conf:1:8\n"
		"server s { host 192.0.2.8 }\n"
		"       ^"},
	{"two devices of a name",
		"zone z { interface eth0 }\n"
		"device d { zone z mac 02:00:5e:00:53:01 user u }\n"
		"device d { zone z mac 02:00:5e:00:53:02 user u }",
		"p.conf:3:8: error: device \"d\" stands twice, expected a new name; first at p.conf:2:8\n"
		"device d { zone z mac 02:00:5e:00:53:02 user u }\n"
		"       ^"},
	{"two rules of a name",
		"rule r { user a verdict drop }\n"
		"rule r { user b verdict drop }",
		"p.conf:2:6: error: rule \"r\" stands twice, expected a new name; first at p.conf:1:6\n"
		"rule r { user b verdict drop }\n"
		"     ^"},
	{"server and verdict",
		"zone z { interface eth0 }\n"
		"server s { host 192.0.2.7 } rule r { server s verdict drop }",
		"p.conf:2:47: error: rule r has a server and a verdict, expected one of them\n"
		"server s { host 192.0.2.7 } rule r { server s verdict drop }\n"
		"                                              ^~~~~~~"},
	{"no action",
		"rule r { user bob }",
		"p.conf:1:6: error: rule r does nothing, expected server or verdict\n"
		"rule r { user bob }\n"
		"     ^"},
	{"other language",
		"language 2",
		"p.conf:1:10: error: this release does not know that language, expected 1\n"
		"language 2\n"
		"         ^"},
	{"hostname",
		"hostname \"a b\"",
		"p.conf:1:10: error: this is no host name, expected one such as gw.example.net\n"
		"hostname \"a b\"\n"
		"         ^~~~~"},
	{"drain in milliseconds",
		"drain 1500ms",
		"p.conf:1:7: error: this time does not fit, expected whole seconds, at least 0s\n"
		"drain 1500ms\n"
		"      ^~~~~~"},
	{"lease of nothing",
		"zone z { interface eth0 lease 0s }",
		"p.conf:1:31: error: this time does not fit, expected whole seconds, at least 1s\n"
		"zone z { interface eth0 lease 0s }\n"
		"                              ^~"},
	{"time too long",
		"drain 99999w",
		"p.conf:1:7: error: this time is too long, expected at most 7101w\n"
		"drain 99999w\n"
		"      ^~~~~~"},
	{"size too large",
		"audit { size 99999999999g }",
		"p.conf:1:14: error: this size is too large, expected less than 8589934592g\n"
		"audit { size 99999999999g }\n"
		"             ^~~~~~~~~~~~"},
	{"deadline too long",
		"server s { host 192.0.2.7 deadline idle 60d }",
		"p.conf:1:41: error: a deadline cannot be this long, expected 1ms to 7w\n"
		"server s { host 192.0.2.7 deadline idle 60d }\n"
		"                                        ^~~"},
	{"number out of range",
		"limit flows 0",
		"p.conf:1:13: error: this number is out of range, expected 1 to 10000000\n"
		"limit flows 0\n"
		"            ^"},
	{"preference out of range",
		"server s { host 192.0.2.7 preference 65536 }",
		"p.conf:1:38: error: this number is out of range, expected 0 to 65535\n"
		"server s { host 192.0.2.7 preference 65536 }\n"
		"                                     ^~~~~"},
	{"rate",
		"zone z { interface eth0 limit rate 20 per client }",
		"p.conf:1:36: error: unexpected \"20\", expected a rate such as 20/minute\n"
		"zone z { interface eth0 limit rate 20 per client }\n"
		"                                   ^~"},
	{"rate of nothing",
		"zone z { interface eth0 limit rate 0/minute }",
		"p.conf:1:36: error: this number is out of range, expected 1 to 1000000000\n"
		"zone z { interface eth0 limit rate 0/minute }\n"
		"                                   ^~~~~~~~"},
	{"port 465",
		"zone z { interface eth0 port 25, 465 }",
		"p.conf:1:34: error: on port 465 clients begin TLS at once, and zone z has none; expected `tls offer`, require or immediate in it, or another port\n"
		"zone z { interface eth0 port 25, 465 }\n"
		"                                 ^~~"},
	{"port 0",
		"server s { host 192.0.2.7 port 0 }",
		"p.conf:1:32: error: no such port, expected 1 to 65535\n"
		"server s { host 192.0.2.7 port 0 }\n"
		"                               ^"},
	{"port 70000",
		"zone z { interface eth0 port 70000 }",
		"p.conf:1:30: error: no such port, expected 1 to 65535\n"
		"zone z { interface eth0 port 70000 }\n"
		"                             ^~~~~"},
	{"the relay's port",
		"zone z { interface eth0 port 25, 2525 }",
		"p.conf:1:34: error: port 2525 is where the relay itself listens, expected another\n"
		"zone z { interface eth0 port 25, 2525 }\n"
		"                                 ^~~~"},
	{"port twice",
		"zone z { interface eth0 port 25, 26, 25 }",
		"p.conf:1:38: error: port 25 stands twice, expected once\n"
		"zone z { interface eth0 port 25, 26, 25 }\n"
		"                                     ^~"},
	{"answer code",
		"zone z { interface eth0 unmatched answer 450 \"later\" }",
		"p.conf:1:42: error: an answer cannot have this code, expected 421 or 554\n"
		"zone z { interface eth0 unmatched answer 450 \"later\" }\n"
		"                                         ^~~"},
	{"answer without text",
		"zone z { interface eth0 unmatched answer \"\" }",
		"p.conf:1:42: error: this answer has no text, expected one to tell the user\n"
		"zone z { interface eth0 unmatched answer \"\" }\n"
		"                                         ^~"},
	{"text too long",
		"zone z { interface eth0 comment \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" }",
		"p.conf:1:33: error: this text has 256 bytes, expected at most 255\n"
		"zone z { interface eth0 comment \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
		"                                ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
	{"user too long",
		"rule r { user \"uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\" verdict drop }",
		"p.conf:1:15: error: this name has 128 bytes, expected 1 to 127\n"
		"rule r { user \"uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\" verdict drop }\n"
		"              ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
	{"user of nothing",
		"rule r { user \"\" verdict drop }",
		"p.conf:1:15: error: this name has 0 bytes, expected 1 to 127\n"
		"rule r { user \"\" verdict drop }\n"
		"              ^~"},
	{"not any",
		"rule r { user not any verdict drop }",
		"p.conf:1:19: error: \"not any\" matches nothing, expected values or no \"not\"\n"
		"rule r { user not any verdict drop }\n"
		"                  ^~~"},
	{"not any source",
		"rule r { source not any verdict drop }",
		"p.conf:1:21: error: \"not any\" matches nothing, expected values or no \"not\"\n"
		"rule r { source not any verdict drop }\n"
		"                    ^~~"},
	{"zone without interface",
		"zone z { network 192.0.2.0/24 }",
		"p.conf:1:6: error: zone z has no interface, expected at least one\n"
		"zone z { network 192.0.2.0/24 }\n"
		"     ^"},
	{"interface name",
		"zone z { interface \"eth0/1\" }",
		"p.conf:1:20: error: this is no interface name, expected 1 to 15 characters without space, slash and colon, perhaps a * at the end\n"
		"zone z { interface \"eth0/1\" }\n"
		"                   ^~~~~~~~"},
	{"interface name too long",
		"zone z { interface interface0123456 }",
		"p.conf:1:20: error: this is no interface name, expected 1 to 15 characters without space, slash and colon, perhaps a * at the end\n"
		"zone z { interface interface0123456 }\n"
		"                   ^~~~~~~~~~~~~~~~"},
	{"wildcard in the middle",
		"zone z { interface \"e*0\" }",
		"p.conf:1:20: error: this is no interface name, expected 1 to 15 characters without space, slash and colon, perhaps a * at the end\n"
		"zone z { interface \"e*0\" }\n"
		"                   ^~~~~"},
	{"interface without MACs",
		"zone z {\n"
		"    interface wg0\n"
		"    identity mac\n"
		"}",
		"p.conf:3:14: error: interface wg0 has no MACs, expected `identity address` in zone z\n"
		"    identity mac\n"
		"             ^~~"},
	{"interface without MACs by default",
		"zone z { interface wg0 }",
		"p.conf:1:6: error: interface wg0 has no MACs, expected `identity address` in zone z\n"
		"zone z { interface wg0 }\n"
		"     ^"},
	{"interface not present",
		"zone z { interface ppp0 }",
		"p.conf:1:20: warning: interface ppp0 is not present (it may come)\n"
		"zone z { interface ppp0 }\n"
		"                   ^~~~"},
	{"bits behind the prefix",
		"zone z { interface eth0 network 192.0.2.1/24 }",
		"p.conf:1:33: error: bits are set behind the length, expected 192.0.2.0/24, the network, or 192.0.2.1, the address alone\n"
		"zone z { interface eth0 network 192.0.2.1/24 }\n"
		"                                ^~~~~~~~~~~~"},
	{"bits behind the prefix in a list",
		"list l { 2001:db8::1/64 }",
		"p.conf:1:10: error: bits are set behind the length, expected 2001:db8::/64, the network, or 2001:db8::1, the address alone\n"
		"list l { 2001:db8::1/64 }\n"
		"         ^~~~~~~~~~~~~~"},
	{"bits behind the prefix in a list's file",
		"list l file \"wide.list\"",
		"wide.list:2:1: error: bits are set behind the length, expected 192.0.2.0/24, the network, or 192.0.2.7, the address alone (and 1 more of this kind)\n"
		"192.0.2.7/24 2001:db8::1/64\n"
		"^~~~~~~~~~~~"},
	{"prefix too long",
		"zone z { interface eth0 network 192.0.2.0/33 }",
		"p.conf:1:33: error: unexpected \"192.0.2.0/33\", expected a network or an address\n"
		"zone z { interface eth0 network 192.0.2.0/33 }\n"
		"                                ^~~~~~~~~~~~"},
	{"no network",
		"zone z { interface eth0 network 300.1.2.3/8 }",
		"p.conf:1:33: error: unexpected \"300.1.2.3/8\", expected a network or an address\n"
		"zone z { interface eth0 network 300.1.2.3/8 }\n"
		"                                ^~~~~~~~~~~"},
	{"overlap on one interface",
		"zone z { interface eth0 }\n"
		"zone y { interface eth0 network 192.0.2.0/24 }",
		"p.conf:2:33: error: zone y overlaps with zone z: interface eth0 with eth0, network 192.0.2.0/24 with all; expected a client to be in one zone only\n"
		"zone y { interface eth0 network 192.0.2.0/24 }\n"
		"                                ^~~~~~~~~~~~"},
	{"overlap of networks",
		"zone a { interface eth0 network 192.0.2.0/24 }\n"
		"zone b { interface eth0 network 198.51.100.0/24, 192.0.2.128/25 }",
		"p.conf:2:50: error: zone b overlaps with zone a: interface eth0 with eth0, network 192.0.2.128/25 with 192.0.2.0/24; expected a client to be in one zone only\n"
		"zone b { interface eth0 network 198.51.100.0/24, 192.0.2.128/25 }\n"
		"                                                 ^~~~~~~~~~~~~~"},
	{"overlap with a wildcard",
		"zone a { interface \"eth*\" }\n"
		"zone b { interface eth7 network 192.0.2.0/24 }",
		"p.conf:2:33: error: zone b overlaps with zone a: interface eth7 with eth*, network 192.0.2.0/24 with all; expected a client to be in one zone only\n"
		"zone b { interface eth7 network 192.0.2.0/24 }\n"
		"                                ^~~~~~~~~~~~"},
	{"overlap with a wildcard that has nothing more",
		"zone a { interface \"eth7*\" }\n"
		"zone b { interface eth7 }",
		"p.conf:2:20: error: zone b overlaps with zone a: interface eth7 with eth7*, network all with all; expected a client to be in one zone only\n"
		"zone b { interface eth7 }\n"
		"                   ^~~~"},
	{"overlap of two wildcards",
		"zone a { interface \"eth1*\" }\n"
		"zone b { interface \"eth*\" }",
		"p.conf:2:20: error: zone b overlaps with zone a: interface eth* with eth1*, network all with all; expected a client to be in one zone only\n"
		"zone b { interface \"eth*\" }\n"
		"                   ^~~~~~"},
	{"overlap with everything",
		"zone a { interface \"*\" network 192.0.2.0/25 }\n"
		"zone b { interface \"eth*\" network 192.0.2.0/24, 2001:db8::/32 }",
		"p.conf:2:35: error: zone b overlaps with zone a: interface eth* with *, network 192.0.2.0/24 with 192.0.2.0/25; expected a client to be in one zone only\n"
		"zone b { interface \"eth*\" network 192.0.2.0/24, 2001:db8::/32 }\n"
		"                                  ^~~~~~~~~~~~"},
	{"interface twice",
		"zone z { interface eth0 network 192.0.2.0/24 interface eth0 }",
		"p.conf:1:33: error: interface eth0 stands twice with the same network in zone z, expected once\n"
		"zone z { interface eth0 network 192.0.2.0/24 interface eth0 }\n"
		"                                ^~~~~~~~~~~~"},
	{"network within another of the zone",
		"zone z { interface eth0 network 192.0.2.0/24, 192.0.2.128/25 }",
		"p.conf:1:47: warning: network 192.0.2.128/25 lies within 192.0.2.0/24 of the same zone\n"
		"zone z { interface eth0 network 192.0.2.0/24, 192.0.2.128/25 }\n"
		"                                              ^~~~~~~~~~~~~~"},
	{"no such zone",
		"zone guest { interface a }\n"
		"zone staff { interface b }\n"
		"rule r { zone gest verdict drop }",
		"p.conf:3:15: error: no such zone \"gest\"; zones: guest, staff\n"
		"rule r { zone gest verdict drop }\n"
		"              ^~~~"},
	{"no such zone of a device",
		"device d { zone gest mac 02:00:5e:00:53:01 user u }",
		"p.conf:1:17: error: no such zone \"gest\"; there are no zones\n"
		"device d { zone gest mac 02:00:5e:00:53:01 user u }\n"
		"                ^~~~"},
	{"no such list",
		"list office dynamic\n"
		"rule r { source not offise verdict drop }",
		"p.conf:2:21: error: no such list \"offise\"; lists: office\n"
		"rule r { source not offise verdict drop }\n"
		"                    ^~~~~~"},
	{"no such list for a destination",
		"rule r { destination partners verdict drop }",
		"p.conf:1:22: error: no such list \"partners\"; there are no lists\n"
		"rule r { destination partners verdict drop }\n"
		"                     ^~~~~~~~"},
	{"no such list of a device",
		"zone z { interface eth0 }\n"
		"list l { }\n"
		"device d { zone z address k user u }",
		"p.conf:3:27: error: no such list \"k\"; lists: l\n"
		"device d { zone z address k user u }\n"
		"                          ^"},
	{"no such server",
		"server relay { host 192.0.2.7 }\n"
		"rule r { server rely }",
		"p.conf:2:17: error: no such server \"rely\"; servers: relay\n"
		"rule r { server rely }\n"
		"                ^~~~"},
	{"no such list of many",
		"list list0 dynamic\n"
		"list list1 dynamic\n"
		"list list2 dynamic\n"
		"list list3 dynamic\n"
		"list list4 dynamic\n"
		"list list5 dynamic\n"
		"list list6 dynamic\n"
		"list list7 dynamic\n"
		"list list8 dynamic\n"
		"list list9 dynamic\n"
		"rule r { source lists7 verdict drop }",
		"p.conf:11:17: error: no such list \"lists7\"; did you mean \"list7\"? (10 lists)\n"
		"rule r { source lists7 verdict drop }\n"
		"                ^~~~~~"},
	{"no such list, nothing near",
		"list l0 dynamic\n"
		"list l1 dynamic\n"
		"list l2 dynamic\n"
		"list l3 dynamic\n"
		"list l4 dynamic\n"
		"list l5 dynamic\n"
		"list l6 dynamic\n"
		"list l7 dynamic\n"
		"list l8 dynamic\n"
		"list l9 dynamic\n"
		"rule r { source nowhere verdict drop }",
		"p.conf:11:17: error: no such list \"nowhere\"; lists: l0, l1, l2, l3, l4, l5, l6, l7 and 2 more\n"
		"rule r { source nowhere verdict drop }\n"
		"                ^~~~~~~"},
	{"server without host",
		"server s { bind gateway }",
		"p.conf:1:8: error: server s has no host, expected at least one host or mx\n"
		"server s { bind gateway }\n"
		"       ^"},
	{"host is a mistyped address",
		"server s { host 192.0.2.300 }",
		"p.conf:1:17: error: this is neither an address nor a host's name, expected one\n"
		"server s { host 192.0.2.300 }\n"
		"                ^~~~~~~~~~~"},
	{"host and port in one word",
		"server s { host 203.0.113.10:25 }",
		"p.conf:1:17: error: this is neither an address nor a host's name, expected one\n"
		"server s { host 203.0.113.10:25 }\n"
		"                ^~~~~~~~~~~~~~~\n"
		"a port stands by itself: 203.0.113.10 port 25"},
	{"host of IPv6 and port in one word",
		"server s { host \"[2001:db8::1]:2525\" }",
		"p.conf:1:17: error: this is neither an address nor a host's name, expected one\n"
		"server s { host \"[2001:db8::1]:2525\" }\n"
		"                ^~~~~~~~~~~~~~~~~~~~\n"
		"a port stands by itself: 2001:db8::1 port 2525"},
	{"mx and port in one word",
		"server s { mx \"example.org:25\" }",
		"p.conf:1:15: error: this is neither an address nor a host's name, expected one\n"
		"server s { mx \"example.org:25\" }\n"
		"              ^~~~~~~~~~~~~~~~\n"
		"a port stands by itself: example.org port 25"},
	{"host and no port",
		"server s { host \"example.org:65536\" }",
		"p.conf:1:17: error: this is neither an address nor a host's name, expected one\n"
		"server s { host \"example.org:65536\" }\n"
		"                ^~~~~~~~~~~~~~~~~~~"},
	{"destination and port in one word",
		"rule r { destination 198.51.100.25:25 verdict pass }",
		"p.conf:1:22: error: unexpected \"198.51.100.25:25\", expected a MAC, a name, a network, a range, an address, any, not or protected\n"
		"rule r { destination 198.51.100.25:25 verdict pass }\n"
		"                     ^~~~~~~~~~~~~~~~\n"
		"an address stands without a port: 198.51.100.25; where one can be meant, it follows as `port 25`"},
	{"metrics at an address and port in one word",
		"metrics listen 127.0.0.1:9100",
		"p.conf:1:16: error: unexpected \"127.0.0.1:9100\", expected an address\n"
		"metrics listen 127.0.0.1:9100\n"
		"               ^~~~~~~~~~~~~~\n"
		"an address stands without a port: 127.0.0.1; where one can be meant, it follows as `port 9100`"},
	{"bind to an address and port in one word",
		"server s { bind 203.0.113.1:25 }",
		"p.conf:1:17: error: unexpected \"203.0.113.1:25\", expected an address, client or gateway\n"
		"server s { bind 203.0.113.1:25 }\n"
		"                ^~~~~~~~~~~~~~\n"
		"an address stands without a port: 203.0.113.1; where one can be meant, it follows as `port 25`"},
	{"device with the MAC of another",
		ZONE "device a { zone z mac 02:00:5e:00:53:01, 02:00:5e:00:53:02 user a }\n"
		"device b { zone z mac 02-00-5E-00-53-02 address 192.0.2.7 user b }\n" RULE,
		"p.conf:3:23: error: device a has this MAC, too, expected one device for it; first at p.conf:2:42\n"
		"device b { zone z mac 02-00-5E-00-53-02 address 192.0.2.7 user b }\n"
		"                      ^~~~~~~~~~~~~~~~~"},
	{"device with another's MAC, where addresses count and there are none",
		"zone z { interface eth0 identity mac+address }\n"
		"device a { zone z mac 02:00:5e:00:53:01 user a }\n"
		"device b { zone z mac 02:00:5e:00:53:01 user b }\n" RULE,
		"p.conf:3:23: error: device a has this MAC, too, expected one device for it; first at p.conf:2:23\n"
		"device b { zone z mac 02:00:5e:00:53:01 user b }\n"
		"                      ^~~~~~~~~~~~~~~~~"},
	{"host unspecified",
		"server s { host 0.0.0.0 }",
		"p.conf:1:17: error: no host can have this address, expected a host's own\n"
		"server s { host 0.0.0.0 }\n"
		"                ^~~~~~~"},
	{"host multicast",
		"server s { host ff02::1 }",
		"p.conf:1:17: error: no host can have this address, expected a host's own\n"
		"server s { host ff02::1 }\n"
		"                ^~~~~~~"},
	{"host name",
		"server s { host \"a b\" }",
		"p.conf:1:17: error: this is neither an address nor a host's name, expected one\n"
		"server s { host \"a b\" }\n"
		"                ^~~~~"},
	{"host name like an option",
		"server s { host \"-x\" }",
		"p.conf:1:17: error: a label of this name begins or ends with a hyphen, expected a letter or a digit there\n"
		"server s { host \"-x\" }\n"
		"                ^~~~"},
	{"host name with a hyphen at a label's end",
		"server s { host \"mail-.example.org\" }",
		"p.conf:1:17: error: a label of this name begins or ends with a hyphen, expected a letter or a digit there\n"
		"server s { host \"mail-.example.org\" }\n"
		"                ^~~~~~~~~~~~~~~~~~~"},
	{"host name with an empty label",
		"server s { host \"mail..example.org\" }",
		"p.conf:1:17: error: a label of this name is empty, expected one dot between two labels\n"
		"server s { host \"mail..example.org\" }\n"
		"                ^~~~~~~~~~~~~~~~~~~"},
	{"host name of a dot",
		"server s { host \".\" }",
		"p.conf:1:17: error: a label of this name is empty, expected one dot between two labels\n"
		"server s { host \".\" }\n"
		"                ^~~"},
	{"host name that begins with a dot",
		"server s { host \".example.org\" }",
		"p.conf:1:17: error: a label of this name is empty, expected one dot between two labels\n"
		"server s { host \".example.org\" }\n"
		"                ^~~~~~~~~~~~~~"},
	{"host name with two dots at its end",
		"server s { host \"example.org..\" }",
		"p.conf:1:17: error: a label of this name is empty, expected one dot between two labels\n"
		"server s { host \"example.org..\" }\n"
		"                ^~~~~~~~~~~~~~~"},
	{"host name with a long label",
		"server s { host \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example\" }",
		"p.conf:1:17: error: a label of this name is too long, expected at most 63 characters\n"
		"server s { host \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example\" }\n"
		"                ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
	{"mx that is an address",
		"server s { mx \"192.0.2.1\" }",
		"p.conf:1:15: error: this is neither an address nor a host's name, expected one\n"
		"server s { mx \"192.0.2.1\" }\n"
		"              ^~~~~~~~~~~"},
	{"host twice",
		"server s { host 192.0.2.7 host 192.0.2.7 preference 20 }",
		"p.conf:1:32: error: host 192.0.2.7 port 25 stands twice in server s, expected it once (`weight` gives it more flows)\n"
		"server s { host 192.0.2.7 host 192.0.2.7 preference 20 }\n"
		"                               ^~~~~~~~~"},
	{"host twice, in other letters",
		"server s { host \"mail.example.org\" host \"Mail.Example.ORG.\" }",
		"p.conf:1:41: error: host Mail.Example.ORG. port 25 stands twice in server s, expected it once (`weight` gives it more flows)\n"
		"server s { host \"mail.example.org\" host \"Mail.Example.ORG.\" }\n"
		"                                        ^~~~~~~~~~~~~~~~~~~"},
	{"mx twice",
		"server s { mx \"example.org\" port 26 mx \"example.org\" port 26 weight 2 }",
		"p.conf:1:40: error: mx example.org port 26 stands twice in server s, expected it once (`weight` gives it more flows)\n"
		"server s { mx \"example.org\" port 26 mx \"example.org\" port 26 weight 2 }\n"
		"                                       ^~~~~~~~~~~~~"},
	{"too many hosts",
		"server s { host h0 host h1 host h2 host h3 host h4 host h5 host h6 host h7 host "
		"h8 host h9 host h10 host h11 host h12 host h13 host h14 host h15 host h16 host "
		"h17 host h18 host h19 host h20 host h21 host h22 host h23 host h24 host h25 host "
		"h26 host h27 host h28 host h29 host h30 host h31 host h32 host h33 host h34 host "
		"h35 host h36 host h37 host h38 host h39 host h40 host h41 host h42 host h43 host "
		"h44 host h45 host h46 host h47 host h48 }",
		"p.conf:1:439: error: server s has 49 hosts and mx, expected at most 48\n"
		" host h42 host h43 host h44 host h45 host h46 host h47 host h48 }\n"
		"                                                            ^~~"},
	{"host with a prefix",
		"server s { host 192.0.2.0/24 }",
		"p.conf:1:17: error: unexpected \"192.0.2.0/24\", expected a string or an address\n"
		"server s { host 192.0.2.0/24 }\n"
		"                ^~~~~~~~~~~~"},
	{"host is our listener",
		"server s { host 192.0.2.1 port 2525 }",
		"p.conf:1:17: error: host 192.0.2.1 port 2525 is a listener of our own, expected another host or port\n"
		"server s { host 192.0.2.1 port 2525 }\n"
		"                ^~~~~~~~~"},
	{"host is our listener on loopback",
		"server s { host ::1 port 2525 }",
		"p.conf:1:17: error: host ::1 port 2525 is a listener of our own, expected another host or port\n"
		"server s { host ::1 port 2525 }\n"
		"                ^~~"},
	{"host is our metrics listener",
		"metrics listen 0.0.0.0 port 9100 server s { host 127.0.0.1 port 9100 }",
		"p.conf:1:50: error: host 127.0.0.1 port 9100 is a listener of our own, expected another host or port\n"
		"metrics listen 0.0.0.0 port 9100 server s { host 127.0.0.1 port 9100 }\n"
		"                                                 ^~~~~~~~~"},
	{"metrics on the relays' port",
		"metrics listen 192.0.2.1 port 2525",
		"p.conf:1:31: error: port 2525 is a listener of our own, expected another port\n"
		"metrics listen 192.0.2.1 port 2525\n"
		"                              ^~~~"},
	{"metrics on an address of another",
		"metrics listen 192.0.2.2 port 9225",
		"p.conf:1:16: warning: this is no address of the gateway (it may come)\n"
		"metrics listen 192.0.2.2 port 9225\n"
		"               ^~~~~~~~~"},
	{"option outside braces",
		"server s { host 192.0.2.7 limit flows }",
		"p.conf:1:39: error: unexpected \"}\", expected a number\n"
		"server s { host 192.0.2.7 limit flows }\n"
		"                                      ^"},
	{"word of host in braces",
		"server s { host 192.0.2.7 { weight 5 } }",
		"p.conf:1:29: error: unexpected \"weight\", expected limit, tls or '}'\n"
		"server s { host 192.0.2.7 { weight 5 } }\n"
		"                            ^~~~~~"},
	{"host inside a zone",
		"zone z { interface eth0 network 192.0.2.0/24 }\n"
		"server s { host 192.0.2.7 }",
		"p.conf:2:17: warning: host 192.0.2.7 of server s stands inside zone z, which is redirected\n"
		"server s { host 192.0.2.7 }\n"
		"                ^~~~~~~~~"},
	{"bind client in the client's network",
		"zone z { interface eth0 network 192.0.2.0/24 }\n"
		"server s { host 2001:db8::7 host 192.0.2.7 bind client }",
		"p.conf:2:49: error: host 192.0.2.7 shares the clients' network in zone z and would answer them directly; expected `bind gateway` or a host elsewhere\n"
		"server s { host 2001:db8::7 host 192.0.2.7 bind client }\n"
		"                                                ^~~~~~"},
	{"bind client to the gateway itself",
		"server s { host 2001:db8::7 host 192.0.2.1 bind client }",
		"p.conf:1:49: error: host 192.0.2.1 is the gateway itself and would answer the clients directly; expected `bind gateway` or a host elsewhere\n"
		"server s { host 2001:db8::7 host 192.0.2.1 bind client }\n"
		"                                                ^~~~~~"},
	{"bind client with hosts of one IP version",
		"server s { host 192.0.2.7 bind client }",
		"p.conf:1:32: warning: server s has only IPv4 hosts: with `bind client` clients of the other IP version cannot use it\n"
		"server s { host 192.0.2.7 bind client }\n"
		"                               ^~~~~~"},
	{"bind of another family",
		"server s { host 2001:db8::7 bind 192.0.2.1 }",
		"p.conf:1:34: error: host 2001:db8::7 cannot be reached from this address, expected one of its family\n"
		"server s { host 2001:db8::7 bind 192.0.2.1 }\n"
		"                                 ^~~~~~~~~"},
	{"bind to a foreign address",
		"server s { host 192.0.2.7 bind 192.0.2.2 }",
		"p.conf:1:32: warning: this is no address of the gateway (it may come)\n"
		"server s { host 192.0.2.7 bind 192.0.2.2 }\n"
		"                               ^~~~~~~~~"},
	{"proxy without probe",
		"server s { host 192.0.2.7 announce proxy-v1 probe none }",
		"p.conf:1:51: error: a server with a PROXY header must be probed, expected `probe smtp`\n"
		"server s { host 192.0.2.7 announce proxy-v1 probe none }\n"
		"                                                  ^~~~"},
	{"login without announce",
		"server s { host 192.0.2.7 announce none { login off } }",
		"p.conf:1:43: error: no login is announced with `announce none`, expected proxy-v1, proxy-v2 or xclient\n"
		"server s { host 192.0.2.7 announce none { login off } }\n"
		"                                          ^~~~~"},
	{"device without zone",
		"device d { mac 02:00:5e:00:53:01 user u }",
		"p.conf:1:8: error: device d has no zone, expected one\n"
		"device d { mac 02:00:5e:00:53:01 user u }\n"
		"       ^"},
	{"device without mac",
		"zone z { interface eth0 }\n"
		"device d { zone z user u }",
		"p.conf:2:8: error: device d has no mac and no address, expected one of them\n"
		"device d { zone z user u }\n"
		"       ^"},
	{"device without user",
		"zone z { interface eth0 }\n"
		"device d { zone z address 192.0.2.1 }",
		"p.conf:2:8: error: device d has no user, expected one\n"
		"device d { zone z address 192.0.2.1 }\n"
		"       ^"},
	{"device for everything",
		"zone z { interface eth0 }\n"
		"device d { zone z address 192.0.2.1, ::/0 user u }",
		"p.conf:2:38: error: this is every address of a family, expected the addresses of a device\n"
		"device d { zone z address 192.0.2.1, ::/0 user u }\n"
		"                                     ^~~~"},
	{"device for a list of everything",
		"zone z { interface eth0 }\n"
		"list l { 0.0.0.0/0 }\n"
		"device d { zone z address l user u }",
		"p.conf:3:27: error: list l holds every address of a family, expected the addresses of a device\n"
		"device d { zone z address l user u }\n"
		"                          ^"},
	{"device for a file of everything",
		"zone z { interface eth0 }\n"
		"list l file \"all.list\"\n"
		"device d { zone z address l user u }",
		"p.conf:3:27: error: list l holds every address of a family, expected the addresses of a device\n"
		"device d { zone z address l user u }\n"
		"                          ^"},
	{"device by MAC without MACs",
		"zone v { interface wg0 identity address }\n"
		"device d { zone v mac 02:00:5e:00:53:01 user u }",
		"p.conf:2:23: error: interface wg0 of zone v has no MACs, expected `address` here\n"
		"device d { zone v mac 02:00:5e:00:53:01 user u }\n"
		"                      ^~~~~~~~~~~~~~~~~"},
	{"destination by MAC",
		"rule r { destination 02:00:5e:00:53:01 verdict drop }",
		"p.conf:1:22: error: a destination has no MAC, expected an address or a network\n"
		"rule r { destination 02:00:5e:00:53:01 verdict drop }\n"
		"                     ^~~~~~~~~~~~~~~~~"},
	{"hours",
		"rule r { schedule mon-fri 08:00-25:00 verdict drop }",
		"p.conf:1:27: error: unexpected \"08:00-25:00\", expected hours such as 08:00-18:00, audit, comment, destination, disabled, group, limit, listener, port, recipient, scan, schedule, sender, server, source, tls, user, verdict, zone, ',' or '}'\n"
		"rule r { schedule mon-fri 08:00-25:00 verdict drop }\n"
		"                          ^~~~~~~~~~~"},
	{"hours of nothing",
		"rule r { schedule 08:00-08:00 verdict drop }",
		"p.conf:1:19: error: unexpected \"08:00-08:00\", expected a day, hours such as 08:00-18:00 or always\n"
		"rule r { schedule 08:00-08:00 verdict drop }\n"
		"                  ^~~~~~~~~~~"},
	{"days",
		"rule r { schedule mon-fry verdict drop }",
		"p.conf:1:19: error: unexpected \"mon-fry\", expected a day, hours such as 08:00-18:00 or always\n"
		"rule r { schedule mon-fry verdict drop }\n"
		"                  ^~~~~~~"},
	{"list file",
		"list l file \"bad.list\"",
		"bad.list:2:20: error: \"300.1.2.3\" is no entry of this list, expected an address, a network, a range or a MAC\n"
		"  198.51.100.0/24, 300.1.2.3 # no\n"
		"                   ^~~~~~~~~"},
	{"list file absent",
		"list l file \"nowhere.list\"",
		"p.conf:1:13: error: cannot read \"nowhere.list\": No such file or directory\n"
		"list l file \"nowhere.list\"\n"
		"            ^~~~~~~~~~~~~~"},
	{"list with a name",
		"list l { 192.0.2.1, office }",
		"p.conf:1:21: error: \"office\" is no entry of this list, expected an address, a network, a range or a MAC\n"
		"list l { 192.0.2.1, office }\n"
		"                    ^~~~~~"},
	{"include absent",
		"include \"nowhere.conf\"",
		"p.conf:1:9: error: cannot read \"nowhere.conf\": No such file or directory\n"
		"include \"nowhere.conf\"\n"
		"        ^~~~~~~~~~~~~~"},
	{"include in a circle",
		"include \"loop.conf\"",
		"loop2.conf:1:9: error: files include each other: loop.conf -> loop2.conf -> loop.conf\n"
		"include \"loop.conf\"\n"
		"        ^~~~~~~~~~~"},
	{"mistake in an included file",
		"include \"wrong.conf\"",
		"wrong.conf:3:5: error: unexpected \"lesae\", expected comment, identity, idle, interface, lease, level, limit, network, newline, on-failure, on-link-down, on-logout, port, reauthenticate, tls, unauthenticated, unmatched, ',' or '}'\n"
		"    lesae 5m\n"
		"    ^~~~~\n"
		"did you mean \"lease\"?"},
	{"user without a comma",
		"rule r { user bob eve verdict drop }",
		"p.conf:1:19: error: unexpected \"eve\", expected audit, comment, destination, disabled, group, limit, listener, port, recipient, scan, schedule, sender, server, source, tls, user, verdict, zone, ',' or '}'\n"
		"rule r { user bob eve verdict drop }\n"
		"                  ^~~"},
	{"a range that holds nothing",
		ZONE "rule r { source 2001:db8::9-2001:db8::1 verdict drop }",
		"p.conf:2:17: error: this range holds nothing, expected a range that begins before it ends\n"
		"rule r { source 2001:db8::9-2001:db8::1 verdict drop }\n"
		"                ^~~~~~~~~~~~~~~~~~~~~~~"},
	{"a range of two families",
		ZONE "rule r { destination 192.0.2.1-2001:db8::1 verdict drop }",
		"p.conf:2:22: error: this range holds nothing, expected a range of one address family\n"
		"rule r { destination 192.0.2.1-2001:db8::1 verdict drop }\n"
		"                     ^~~~~~~~~~~~~~~~~~~~~"},
	{"an address in a list of mail addresses",
		"list m mail { 192.0.2.1, anna@hotel.example }",
		"p.conf:1:15: error: \"192.0.2.1\" is no entry of this list, expected user@domain, @domain or @.domain\n"
		"list m mail { 192.0.2.1, anna@hotel.example }\n"
		"              ^~~~~~~~~"},
	{"a rule that names a list of mail addresses",
		ZONE "list m mail dynamic rule r { source m verdict drop }",
		"p.conf:2:37: error: list m holds mail addresses, which nothing here can be compared with; expected a list of addresses\n"
		"list m mail dynamic rule r { source m verdict drop }\n"
		"                                    ^"},
	{"a device that names a list of hosts",
		ZONE "list h host { mx1.partner.example } device d { zone z mac h user u }",
		"p.conf:2:59: error: list h holds host names, which nothing here can be compared with; expected a list of addresses\n"
		"list h host { mx1.partner.example } device d { zone z mac h user u }\n"
		"                                                          ^"},
	{"comma at the end",
		"rule r { user bob, verdict drop }",
		"p.conf:1:28: error: unexpected \"drop\", expected audit, comment, destination, disabled, group, limit, listener, port, recipient, scan, schedule, sender, server, source, tls, user, verdict, zone, ',' or '}'\n"
		"rule r { user bob, verdict drop }\n"
		"                           ^~~~"},
	{"comma before a brace",
		"list l { 192.0.2.1, }",
		"p.conf:1:21: error: unexpected \"}\", expected a MAC, a network, a range, a string or an address\n"
		"list l { 192.0.2.1, }\n"
		"                    ^"},
	{"unreachable rule",
		"zone z { interface eth0 }\n"
		"rule all { verdict drop }\n"
		"rule r { zone z user bob verdict pass }",
		"p.conf:3:6: warning: rule r is never reached: rule all before it takes all that it could take\n"
		"rule r { zone z user bob verdict pass }\n"
		"     ^"},
	{"unreachable rule of a network",
		"rule a { source 192.0.2.0/24 user bob, eve verdict drop }\n"
		"rule b { user eve source 192.0.2.64/26, 192.0.2.1 verdict pass }",
		"p.conf:2:6: warning: rule b is never reached: rule a before it takes all that it could take\n"
		"rule b { user eve source 192.0.2.64/26, 192.0.2.1 verdict pass }\n"
		"     ^"},
	{"unreachable rule by schedule",
		"rule a { schedule mon-fri verdict drop }\n"
		"rule b { schedule tue 08:00-18:00, thu 20:00-06:00 verdict pass }",
		"p.conf:2:6: warning: rule b is never reached: rule a before it takes all that it could take\n"
		"rule b { schedule tue 08:00-18:00, thu 20:00-06:00 verdict pass }\n"
		"     ^"},
	{"unreachable port",
		"zone z { interface eth0 }\n"
		"rule r { zone z port 587 verdict drop }",
		"p.conf:2:22: warning: no zone of rule r redirects port 587, so it cannot match there\n"
		"rule r { zone z port 587 verdict drop }\n"
		"                     ^~~"},
	{"pass beside a redirect rule",
		"zone z { interface eth0 unauthenticated pass }\n"
		"server s { host 198.51.100.7 }\n"
		"rule r { server s }",
		"p.conf:1:6: warning: zone z has `unauthenticated pass`: who does not log in bypasses rule r\n"
		"zone z { interface eth0 unauthenticated pass }\n"
		"     ^"},
	{"original without a destination",
		"zone z { interface eth0 }\n"
		"rule a { destination not 192.0.2.0/24 server original }\n"
		"rule b { user bob server original disabled }\n"
		"rule c { group x server original }",
		"p.conf:4:25: warning: the gateway itself connects to the original, past the forward chain of its firewall: say with `destination not LIST` what is not to be reached, or `destination any`\n"
		"rule c { group x server original }\n"
		"                        ^~~~~~~~"},
	{"port of a bridge",
		"zone z { interface eth0, port1 }",
		"p.conf:1:26: warning: port1 is a port of bridge br1: its clients are seen on br1, expected \"br1\"\n"
		"zone z { interface eth0, port1 }\n"
		"                         ^~~~~"},
	{"port of a bridge, by a wildcard",
		"zone z { interface \"port*\" }",
		"p.conf:1:20: warning: port1 is a port of bridge br1: its clients are seen on br1, expected \"br1\"\n"
		"zone z { interface \"port*\" }\n"
		"                   ^~~~~~~"},
	{"zone of the uplink",
		"zone z { interface wan4 }",
		"p.conf:1:20: warning: the default route leaves by wan4: zone z takes in what comes from there, expected other interfaces or its clients as `network`\n"
		"zone z { interface wan4 }\n"
		"                   ^~~~"},
	{"zone of the IPv6 uplink",
		"zone z { interface wan6 }",
		"p.conf:1:20: warning: the default route leaves by wan6: zone z takes in what comes from there, expected other interfaces or its clients as `network`\n"
		"zone z { interface wan6 }\n"
		"                   ^~~~"},
	{"server behind a zone's interface",
		"zone z { interface dmz9 }\n"
		"server s { host 203.0.113.200; host 203.0.113.7 }",
		"p.conf:1:20: warning: host 203.0.113.200 of server s is behind dmz9: zone z takes its own mail in, expected a device for it, or the clients as `network`\n"
		"zone z { interface dmz9 }\n"
		"                   ^~~~"},
	{"the word of version 0.1 for names",
		"audit { privacy off }",
		"p.conf:1:9: warning: `privacy off` is called `names none` now, and printed so\n"
		"audit { privacy off }\n"
		"        ^~~~~~~"},
	{"a limit that blocks nobody",
		"zone z { interface eth0 limit rate 3/minute { block 1h } }",
		"p.conf:1:47: error: a limit of the whole zone blocks nobody, expected `per client` or `per user` before { block }\n"
		"zone z { interface eth0 limit rate 3/minute { block 1h } }\n"
		"                                              ^~~~~"},
	{"two times of a block",
		"zone z { interface eth0 limit rate 3/minute per user { block 1h block 2h } }",
		"p.conf:1:65: error: \"block\" stands twice in limit, expected once; first at 1:56\n"
		"zone z { interface eth0 limit rate 3/minute per user { block 1h block 2h } }\n"
		"                                                                ^~~~~"},
	{"no word of a limit's block",
		"zone z { interface eth0 limit rate 3/minute per user { keep 1h } }",
		"p.conf:1:56: error: unexpected \"keep\", expected block or '}'\n"
		"zone z { interface eth0 limit rate 3/minute per user { keep 1h } }\n"
		"                                                       ^~~~"},
	/* clang-format on */
