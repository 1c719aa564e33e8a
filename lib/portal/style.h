/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how the login page looks, on any width, in light and dark, by keyboard and on paper. */
#ifndef POSTERN_LIB_PORTAL_STYLE_H
#define POSTERN_LIB_PORTAL_STYLE_H

/* CSS: what /style.css is. */
extern const char portal_style[];

#endif
