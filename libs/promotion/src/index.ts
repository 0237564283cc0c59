export { type AuditEntry, decodePromotion, readAudit, readPromotions } from './audit.ts';
export { type Champion, championOf } from './champion.ts';
export { PromotionError } from './errors.ts';
export { type PromotionRequest, requestPromotion } from './request-promotion.ts';
