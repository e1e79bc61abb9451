/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_signature.h - signed text to the part of it that a known key has signed. gpgv does the cryptography; it is a program
 * of the distribution, found on PATH.
 */
#ifndef DEVENV_SOURCE_DEBIAN_SIGNATURE_H
#define DEVENV_SOURCE_DEBIAN_SIGNATURE_H

#include "base/buf.h"
#include "base/err.h"

#define DEBIAN_SIGNED_MAX (8u << 20) /* of an InRelease, and of a file of keys */

/*
 * `text`: a message signed in itself (InRelease); or a detached signature, armoured, with what it signs directly behind it
 * (Release.gpg and Release).
 *
 * `keyrings`: paths, one a line; keys in binary or armoured. `fingerprints`: keys, of which one must have signed; NULL or empty:
 * any of the keyrings. One with "!" behind it is meant exactly, without its subkeys. *out receives what was verified, and nothing
 * else of the text may be believed. Needs one good signature at least and no bad one; signatures of keys that are not there are no matter, because an
 * archive signs with old and new ones.
 *
 * ERR_INTEGRITY: no text that is signed as a whole, or no good signature. ERR_NOT_FOUND: no gpgv, or no keyring; with what has it.
 * `what` names the text in messages: "InRelease of bookworm from HOST".
 */
int debian_signature_verify(const struct buf *text, const char *keyrings, const struct strlist *fingerprints, const char *what,
			    struct buf *out, struct err *e);

/* Keys as gpgv reads them (armour taken away), from the bytes of a file. ERR_CONFIG: neither form. */
int debian_signature_keys(const char *path, const struct buf *file, struct buf *out, struct err *e);

#endif
