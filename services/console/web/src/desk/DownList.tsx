import { useState } from 'react';
import { session as sessionStore } from '../api/session';
import { QuarantineState, type Condition } from '../gen/proto/fenghuo/operation/v1/operation_pb';
import { Role } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useWallNow } from '../live/clock';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { age } from '../logic/countdown';
import { SHAPE } from '../logic/conditions';
import { clockTimeSeconds, dateTime, ms } from '../logic/time';
import { Button } from '../ui/Button';
import { Overlay } from '../ui/Overlay';
import { ReleaseForm } from './ReleaseForm';
import { hasRole } from './roles';

/** Everything that is cut off, with what to do next; and the way out of a quarantine, for those who may. */
export function DownList({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { live } = useDesk();
  const link = useStore(live.link);
  const { conditions, quarantine, heard } = useStore(live.conditions.wrong);
  const person = useStore(sessionStore)?.person;
  const [releasing, setReleasing] = useState(false);
  const may = person !== undefined && [Role.ADMINISTRATOR, Role.COMMANDER].some((role) => hasRole(person, role, Date.now()));
  const held = quarantine?.state === QuarantineState.HELD;
  return (
    <Overlay title={t('down.title')} onClose={onClose} testId="down-list">
      {!heard && link.state === 'down' && (
        <article className="condition" data-testid="condition" data-code="SERVER_LOST">
          <p>
            <strong>✕ {t('down.serverLost')}</strong> <span className="num">{t('link.since', { time: clockTimeSeconds(link.since) })}</span>
          </p>
          <p>{t('down.serverLostNext')}</p>
        </article>
      )}
      {conditions.map((c) => (
        <ConditionItem key={`${c.code}|${c.subject}`} condition={c} />
      ))}
      {conditions.length === 0 && (heard || link.state !== 'down') && <p data-testid="down-nothing">{t('down.nothing')}</p>}
      {held && may && !releasing && (
        <Button label={t('quarantine.release')} testId="release-open" onClick={() => setReleasing(true)} />
      )}
      {held && releasing && <ReleaseForm quarantine={quarantine} onClose={() => setReleasing(false)} />}
    </Overlay>
  );
}

function ConditionItem({ condition: c }: { condition: Condition }) {
  const { t, pick } = useI18n();
  const now = useWallNow();
  const since = ms(c.sinceTime);
  const old = since === undefined ? null : age(since, now);
  return (
    <article className="condition" data-testid="condition" data-code={c.code} data-subject={c.subject}>
      <p>
        <strong>
          <span aria-hidden="true">{SHAPE[c.severity]}</span> {pick(c.textZh, c.textEn)}
        </strong>{' '}
        <span className="faint">{t(`down.severity.${c.severity}` as MessageKey)}</span>
      </p>
      {since !== undefined && old && (
        <p className="num faint">
          {t('link.since', { time: dateTime(since) })} · {old.text} {t(`unit.${old.unit}`)}
        </p>
      )}
      <p data-testid="condition-next">{pick(c.nextZh, c.nextEn)}</p>
      <p className="faint mono proof">
        {c.code} {c.subject} {c.detail}
      </p>
    </article>
  );
}
