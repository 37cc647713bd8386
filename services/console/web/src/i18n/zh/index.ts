import { desk } from './desk';
import { errors } from './errors';
import { incident } from './incident';
import { report } from './report';
import { notification } from './notification';
import { pages } from './pages';

/** Chinese: the text of reference. */
export const zh = { ...desk, ...errors, ...incident, ...report, ...notification, ...pages };
