import { createHash, createHmac } from 'node:crypto';
import type { Hmac, Sha256 } from '../../ports/digest.ts';

export const sha256: Sha256 = (text) => createHash('sha256').update(text, 'utf8').digest('hex');

export const hmac: Hmac = (key, text) => createHmac('sha256', key).update(text, 'utf8').digest('hex');
