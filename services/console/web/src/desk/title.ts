import { useEffect } from 'react';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';

/** Puts what is overdue and unanswered into the window's title, where it is seen from another window. */
export function useTitle(overdue: number, unanswered: number): void {
  const { t, pick } = useI18n();
  const { node, space } = useDesk();
  const name = pick(node.displayName, node.displayNameEn);
  const drill = space === 'real' ? '' : '演习 EXERCISE ';
  const title = `${drill}${t('title.desk', { overdue, unanswered, name })}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}
