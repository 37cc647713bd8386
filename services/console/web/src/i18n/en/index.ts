import { desk } from './desk';
import { errors } from './errors';
import { incident } from './incident';
import { report } from './report';
import { notification } from './notification';
import { pages } from './pages';
import type { zh } from '../zh';

/** English: a full translation. The type holds it to the keys of the Chinese catalogue. */
export const en: Record<keyof typeof zh, string> = { ...desk, ...errors, ...incident, ...report, ...notification, ...pages };
