import { Direction, type NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { dateTime, ms } from '../logic/time';

/** Machine receipt and a person's acknowledgement: two things, each with its own time. */
export function Receipts({ record }: { record: NotificationRecord }) {
  const { t } = useI18n();
  const proof = record.delivery;
  const receipt = proof?.receipt;
  const ack = record.acknowledgement;
  const stored = ms(receipt?.storeTime);
  const incoming = record.direction === Direction.INCOMING;
  return (
    <ul className="proofs">
      {receipt ? (
        <li data-testid="receipt" data-outcome={receipt.outcome}>
          <span aria-hidden="true">{receipt.outcome === 1 ? '✓' : '✕'}</span> {incoming ? t('receipt.storedHere') : t('receipt.stored')}{' '}
          <strong>{t(`outcome.${receipt.outcome}` as MessageKey)}</strong> {receipt.reason}
          {stored !== undefined && <span className="num"> {dateTime(stored)}</span>}
          <details className="why">
            <summary>{t('receipt.proof')}</summary>
            <p className="mono proof">
              {t('receipt.stream', {
                sender: receipt.stream?.sender ?? '',
                recipient: receipt.stream?.recipient ?? '',
                space: receipt.stream?.space ?? '',
                epoch: String(receipt.stream?.epoch ?? ''),
                position: String(receipt.position),
              })}
              <br />
              SHA-256 {proof?.envelopeDigest}
              <br />
              {t('receipt.key', { key: proof?.signedReceipt?.keyId ?? '' })}
            </p>
          </details>
        </li>
      ) : (
        !incoming &&
        record.approveTime &&
        !record.letterNumber && (
          <li className="faint" data-testid="receipt-missing">
            ○ {t('receipt.none')}
          </li>
        )
      )}
      {ack ? (
        <li data-testid="acknowledgement">
          ✓ {t('ack.by', { person: ack.person, post: ack.post })} <span className="num">{dateTime(ms(ack.acknowledgeTime) ?? 0)}</span>
          {record.acknowledgedByHand && <span className="faint"> {t('ack.byHand')}</span>}
          {ack.remark && <p className="told">{ack.remark}</p>}
        </li>
      ) : (
        (incoming || record.approveTime) && (
          <li data-testid="acknowledgement-missing">
            ○ {record.acknowledgementOverdue ? <strong>{t('ack.overdue')}</strong> : t('ack.none')}
          </li>
        )
      )}
    </ul>
  );
}
