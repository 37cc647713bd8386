import { useEffect, useState } from 'react';
import { problemOf, type Problem } from '../api/errors';
import { go } from '../app/route';
import { Direction, NotificationState } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk, useSpaceNow } from '../live/context';
import { useSee } from '../live/seen';
import { useStore } from '../live/store';
import { divisionName } from '../logic/districts';
import { unanswered } from '../logic/order';
import { dateTime, ms } from '../logic/time';
import { Button } from '../ui/Button';
import { Countdown } from '../ui/Countdown';
import { ProblemBox } from '../ui/Problem';
import { AcknowledgeForm } from './AcknowledgeForm';
import { Content } from './Content';
import { DraftEditor } from './DraftEditor';
import { HandAcknowledgement } from './HandAcknowledgement';
import { Letter } from './Letter';
import { Receipts } from './Receipts';

/** One notification: a draft to be edited and approved, or what was sent or received with its proof. */
export function NotificationView({ name }: { name: string }) {
  const { t, lang, pick } = useI18n();
  const { live, node, space } = useDesk();
  const now = useSpaceNow();
  const record = useStore(live.notifications.list).get(name);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    live.notifications.refresh(name).then(
      () => setProblem(null),
      (error: unknown) => setProblem(problemOf(error)),
    );
  }, [live, name]);
  useSee(`${node.provinceCode}|${space}`, record?.name, record?.etag);

  if (!record) return problem ? <ProblemBox problem={problem} /> : <p className="empty">{t('app.loading')}</p>;
  const incoming = record.direction === Direction.INCOMING;
  const partner = divisionName(record.partnerCode, lang);
  const due = ms(record.acknowledgeDueTime);
  return (
    <article
      className="paper"
      data-testid="notification-view"
      data-name={name}
      data-state={record.state}
      data-direction={incoming ? 'incoming' : 'outgoing'}
    >
      <header className="row spread">
        <h2>
          <span aria-hidden="true">{incoming ? '←' : '→'}</span>{' '}
          {incoming ? t('notification.from', { partner }) : t('notification.to', { partner })}
        </h2>
        <Button
          label={t('common.close')}
          hint="Esc"
          tone="quiet"
          testId="notification-close"
          onClick={() => go({ centre: 'map', notification: '' })}
        />
      </header>
      <p className="row">
        <strong data-testid="notification-view-state">
          {t(`${incoming ? 'incomingState' : 'notificationState'}.${record.state}` as MessageKey)}
        </strong>
        <span>{t(`kind.${record.content?.kind ?? 0}` as MessageKey)}</span>
        {ms(record.createTime) !== undefined && (
          <span className="faint num">
            {incoming ? t('notification.received') : t('notification.drafted')} {dateTime(ms(record.createTime) ?? 0)}
          </span>
        )}
        {unanswered(record) && due !== undefined && <Countdown dueMs={due} nowMs={now} />}
      </p>
      {pick(record.whyZh, record.whyEn) && (
        <details className="why" open={record.state === NotificationState.DRAFT}>
          <summary>{t('common.why')}</summary>
          <p>{pick(record.whyZh, record.whyEn)}</p>
        </details>
      )}
      {record.state === NotificationState.DRAFT && !incoming ? (
        <DraftEditor key={record.name} record={record} />
      ) : (
        <>
          {incoming && !record.acknowledgement && <AcknowledgeForm record={record} />}
          <Receipts record={record} />
          {!incoming && record.approveTime && !record.acknowledgement && <HandAcknowledgement record={record} />}
          {record.letterNumber && <Letter record={record} />}
          {record.content && <Content content={record.content} />}
        </>
      )}
    </article>
  );
}
