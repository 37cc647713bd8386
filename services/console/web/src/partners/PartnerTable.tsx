import { LinkState, type Partner } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { dateTime, ms } from '../logic/time';

/** Each partner with its link: since when, what waits, the last error, the key that is pinned. */
export function PartnerTable() {
  const { t } = useI18n();
  const { live } = useDesk();
  const partners = useStore(live.partners.list);
  return (
    <>
      <table className="list" data-testid="partners-table">
        <thead>
          <tr>
            <th>{t('partner.province')}</th>
            <th>{t('partner.mode')}</th>
            <th>{t('partner.link')}</th>
            <th>{t('partner.waiting')}</th>
            <th>{t('partner.telephone')}</th>
            <th>{t('partner.key')}</th>
          </tr>
        </thead>
        <tbody>
          {partners.map((p) => (
            <Row key={p.name} partner={p} />
          ))}
        </tbody>
      </table>
      {partners.length === 0 && <p className="empty">{t('partner.none')}</p>}
    </>
  );
}

function Row({ partner: p }: { partner: Partner }) {
  const { t } = useI18n();
  const since = ms(p.linkSinceTime);
  const contact = ms(p.lastContactTime);
  return (
    <tr data-testid="partner-row" data-partner={p.provinceCode} data-state={LinkState[p.linkState]}>
      <td>
        <strong>{p.displayName}</strong> <span className="faint num">{p.provinceCode}</span>
        <div className="faint mono">{p.endpoint}</div>
      </td>
      <td>{t(`partnerMode.${p.mode}` as MessageKey)}</td>
      <td>
        <strong>{t(`linkState.${p.linkState}` as MessageKey)}</strong>
        {since !== undefined && <span className="num"> {t('link.since', { time: dateTime(since) })}</span>}
        {contact !== undefined && <div className="faint num">{t('partner.lastContact', { time: dateTime(contact) })}</div>}
        {p.lastError && <div data-testid="partner-error">{p.lastError}</div>}
        {p.clockDifferenceMs !== undefined && <div className="faint num">{t('partner.clockDifference', { ms: String(p.clockDifferenceMs) })}</div>}
      </td>
      <td className="num">{p.undeliveredCount}</td>
      <td className="num">{p.dutyTelephone}</td>
      <td className="mono">
        {p.keyId}
        {p.fingerprint && <div className="faint proof">{p.fingerprint}</div>}
      </td>
    </tr>
  );
}
