/** All islands in one small file: each looks for its own mark in the page and does nothing without it. */

import { copy } from "./copy.ts";
import { door } from "./door.ts";
import { framed } from "./framed.ts";
import { proofs } from "./proof.ts";
import { search } from "./search.ts";
import { shop } from "./shop.ts";
import { unsaved } from "./unsaved.ts";
import { zone } from "./zone.ts";

for (const island of [door, proofs, search, zone, unsaved, shop, copy, framed]) island();
