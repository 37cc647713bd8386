import { go } from '../app/route';
import { Direction, NotificationState, type NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useSpaceNow } from '../live/context';
import { useSeen } from '../live/seen';
import { divisionName } from '../logic/districts';
import { ms } from '../logic/time';
import { Countdown } from '../ui/Countdown';

interface Props {
  notifications: readonly NotificationRecord[];
  scope: string;
  open: string;
}

/** What nobody has answered: incoming ones wait for us, outgoing ones for the other side. */
export function Unanswered({ notifications, scope, open }: Props) {
  const { t } = useI18n();
  return (
    <section className="unanswered" aria-label={t('unanswered.title')} data-testid="unanswered">
      <h2>
        {t('unanswered.title')} <span className="num faint">{notifications.length}</span>
      </h2>
      <ol className="rows">
        {notifications.map((n) => (
          <Row key={n.name} record={n} scope={scope} open={n.name === open} />
        ))}
      </ol>
      {notifications.length === 0 && <p className="empty">{t('unanswered.empty')}</p>}
    </section>
  );
}

function Row({ record, scope, open }: { record: NotificationRecord; scope: string; open: boolean }) {
  const { t, lang } = useI18n();
  const now = useSpaceNow();
  const mark = useSeen(scope).mark(record.name, record.etag);
  const incoming = record.direction === Direction.INCOMING;
  const due = ms(record.acknowledgeDueTime);
  const partner = divisionName(record.partnerCode, lang);
  const refused = record.state === NotificationState.REFUSED;
  return (
    <li className={`row-item ${record.acknowledgementOverdue || refused ? 'row-over' : ''}`}>
      <button
        type="button"
        className="row-button"
        aria-current={open ? 'true' : undefined}
        data-row={record.name}
        data-testid="unanswered-item"
        data-name={record.name}
        data-direction={incoming ? 'incoming' : 'outgoing'}
        onClick={() => go({ page: 'desk', centre: 'notification', notification: record.name, incident: record.incident })}
      >
        <span className="direction" aria-hidden="true">
          {incoming ? '←' : '→'}
        </span>
        <span className="row-lines">
          <span className="row-one">
            {mark && (
              <span className="mark" data-testid="mark">
                {t(`mark.${mark}`)}
              </span>
            )}
            <strong>{incoming ? t('unanswered.from', { partner }) : t('unanswered.to', { partner })}</strong> {record.content?.subject}
          </span>
          <span className="row-two">
            {due !== undefined && <Countdown dueMs={due} nowMs={now} />}
            <span className="row-body">
              {incoming ? t('unanswered.ours') : `${t('unanswered.theirs')} · ${t(`notificationState.${record.state}` as MessageKey)}`}
            </span>
          </span>
        </span>
      </button>
    </li>
  );
}
