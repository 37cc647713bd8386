import { Direction, type NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useSpaceNow } from '../live/context';
import { divisionName } from '../logic/districts';
import { unanswered } from '../logic/order';
import { ms } from '../logic/time';
import { Countdown } from '../ui/Countdown';
import { Receipts } from './Receipts';

/** A notification in the incident: to or from whom, how it stands, and the proof. */
export function NotificationRow({ record, onOpen }: { record: NotificationRecord; onOpen: () => void }) {
  const { t, lang } = useI18n();
  const now = useSpaceNow();
  const incoming = record.direction === Direction.INCOMING;
  const partner = divisionName(record.partnerCode, lang);
  const due = ms(record.acknowledgeDueTime);
  return (
    <li data-testid="notification" data-name={record.name} data-state={record.state} data-direction={incoming ? 'incoming' : 'outgoing'}>
      <button type="button" className="entry-open" onClick={onOpen} data-testid="notification-open">
        <span aria-hidden="true">{incoming ? '←' : '→'}</span>{' '}
        <strong>{incoming ? t('unanswered.from', { partner }) : t('unanswered.to', { partner })}</strong>{' '}
        <span data-testid="notification-state">
          {t(`${incoming ? 'incomingState' : 'notificationState'}.${record.state}` as MessageKey)}
        </span>{' '}
        {unanswered(record) && due !== undefined && <Countdown dueMs={due} nowMs={now} />}
        <br />
        {record.letterNumber && <span className="mono">{record.letterNumber} </span>}
        {record.content?.subject}
      </button>
      <Receipts record={record} />
    </li>
  );
}
