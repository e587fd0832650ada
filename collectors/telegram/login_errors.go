package telegram

import (
	"errors"
	"fmt"

	"github.com/gotd/td/tgerr"
)

// loginSays has a sentence with a next step for each error that the API documents for the methods that a login uses:
// core.telegram.org/method/ auth.sendCode, auth.signIn, auth.checkPassword, account.getPassword, auth.exportLoginToken and
// auth.importLoginToken, and those of https://core.telegram.org/api/errors that may answer any method.
var loginSays = map[string]string{
	// auth.sendCode
	"API_ID_INVALID":                    "Telegram does not know this app_id and app_hash; copy both from https://my.telegram.org",
	"API_ID_PUBLISHED_FLOOD":            "this app_id is public and therefore limited; get your own at https://my.telegram.org",
	"AUTH_RESTART":                      "Telegram wants the login to begin again; run it once more",
	"PHONE_NUMBER_APP_SIGNUP_FORBIDDEN": "this telephone number has no Telegram account, and an app such as this cannot make one; make it with an official app first",
	"PHONE_NUMBER_BANNED":               "Telegram closed the account of this number; use another account, or write to recover@telegram.org",
	"PHONE_NUMBER_FLOOD":                "Telegram sent too many codes to this number; wait a day, or log in by QR code (--qr)",
	"PHONE_NUMBER_INVALID":              "Telegram does not accept the telephone number; give it in international form, such as +441234567890",
	"PHONE_PASSWORD_FLOOD":              "Telegram saw too many tries for this number; wait a day",
	"PHONE_PASSWORD_PROTECTED":          "the number is protected by a password; log in by QR code (--qr) with a device that is logged in",
	"SMS_CODE_CREATE_FAILED":            "Telegram could not make a code; try again in an hour, or log in by QR code (--qr)",
	"UPDATE_APP_TO_LOGIN":               "Telegram no longer lets this version of the program log in; update Muhafiz, or log in by QR code (--qr)",
	// auth.signIn
	"PHONE_CODE_EMPTY":        "no code was given; run the login again and type it",
	"PHONE_CODE_EXPIRED":      "the code is too old; run the login again and type the new one",
	"PHONE_CODE_INVALID":      "the code is wrong; run the login again and type the newest one",
	"PHONE_NUMBER_UNOCCUPIED": "this telephone number has no Telegram account; make one with an official app first",
	"SESSION_PASSWORD_NEEDED": "the account has a two-step password; give it as well",
	"SIGN_IN_FAILED":          "Telegram failed to log the account in; try again in some minutes",
	// account.getPassword and auth.checkPassword
	"PASSWORD_HASH_INVALID":   "the two-step password is wrong; run the login again, and look at spaces and line ends where it comes from a file",
	"SRP_ID_INVALID":          "Telegram changed the question for the password while it was answered; run the login again",
	"SRP_PASSWORD_CHANGED":    "the two-step password was changed during the login; run it again with the new one",
	"AUTH_KEY_UNSYNCHRONIZED": "Telegram's servers do not agree on the session yet; run the login again in a minute",
	// auth.exportLoginToken and auth.importLoginToken
	"AUTH_TOKEN_ALREADY_ACCEPTED": "the QR code was used already; run the login again and scan the new one",
	"AUTH_TOKEN_EXPIRED":          "the QR code was scanned too late; run the login again and scan it within half a minute",
	"AUTH_TOKEN_INVALID":          "Telegram does not know the QR code; run the login again and scan the newest one",
	"AUTH_TOKEN_INVALIDX":         "Telegram does not know the QR code; run the login again and scan the newest one",
	// any method
	"AUTH_KEY_DUPLICATED":   "this session is used from two places at once, and Telegram revoked it; stop the other one and run the login again",
	"AUTH_KEY_INVALID":      "Telegram no longer knows the stored session; run the login again with --anew",
	"AUTH_KEY_UNREGISTERED": "Telegram dropped the session during the login; run it again",
	"SESSION_EXPIRED":       "Telegram ended the session during the login; run it again",
	"SESSION_REVOKED":       "the account's owner ended this session on another device; run the login again and let it stand",
	"USER_DEACTIVATED":      "the account was deleted; use another account",
	"USER_DEACTIVATED_BAN":  "Telegram closed this account; use another account, or write to recover@telegram.org",
	"FROZEN_METHOD_INVALID": "Telegram froze this account; log in with an official app to see the reason and to appeal",
}

// loginError says in a sentence what to do about a refusal.
func (o Options) loginError(err error) error {
	if err == nil || errors.Is(err, ErrLogin) {
		return err
	}
	if d, ok := tgerr.AsFloodWait(err); ok {
		return fmt.Errorf("%w: Telegram asks to wait %s before the next try for account %s: %w", ErrLogin, d, o.Alias, err)
	}
	rpc, ok := tgerr.As(err)
	if !ok {
		return fmt.Errorf("log account %s in: %w", o.Alias, o.Proxy.explain(err))
	}
	says := loginSays[rpc.Type]
	switch {
	case says != "":
	case rpc.Code >= 500 || rpc.Code < 0:
		says = "Telegram has trouble of its own; try again in some minutes"
	default:
		says = "Telegram refused with an error that this build does not know; look it up at https://core.telegram.org/api/errors, or update Muhafiz"
	}
	return fmt.Errorf("%w: %s: %w", ErrLogin, says, err)
}
