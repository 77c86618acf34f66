// Package calendar knows working hours: zones, weekly hours with split shifts, closed days and make-up days. It is pure and imports nothing
// of ours. It is used for warnings to staff, and for platforms whose clock stops outside business days; never for platform deadlines that
// run in calendar time.
//
// # What an operator writes
//
// A [Spec] has four texts; [Parse] reads them and reports every mistake at once:
//
//	Zone    Asia/Shanghai
//	Hours   Mon-Fri 09:00-12:00 13:00-18:00, Sat 10:00-14:00
//	Closed  2027-02-05..2027-02-11, 2027-05-01
//	Open    2027-02-14, 2027-02-20 09:00-12:00
//
// In the grammar below, blanks separate what stands side by side, and blanks around a comma do not count:
//
//	Zone    = an IANA name; no default, and never the zone of the machine
//	Hours   = [ entry { "," entry } ]       entry = days shift { shift }
//	days    = weekday [ "-" weekday ]       Mon or Monday, in any case; Sun-Thu passes the end of the week
//	shift   = time "-" time                 09:00 or 9:00; 24:00 is the end of a day; a shift does not pass midnight
//	Closed  = [ dates { "," dates } ]       dates = date [ ".." date ], both ends included
//	Open    = [ make-up { "," make-up } ]   make-up = dates { shift }
//
// A weekday that Hours does not name is closed. A date of Open is open whatever Hours and Closed say, in the shifts written beside it;
// without any, in those of the week's first open weekday, counted from Monday. Hours may be empty when every date of Open brings shifts.
// No weekday, and no date within one of the lists, is told twice. Dates are of the years 2000 to 2200, a range has at most 366 days, and
// both lists together at most 1000 days.
//
// # Daylight saving
//
// Hours are hours on the wall. A shift begins at the first instant at which the wall shows its beginning or later, and ends when the wall
// shows an earlier time than its end for the last time. Hence a shift that begins in the hour which a change of clocks leaves out begins
// when that hour would; one that ends in it ends there; one that lies in it does not take place. Of an hour that happens twice, the first
// passage counts for beginnings and the second for ends, and shifts that this makes overlap are one. Open time is real time: a night shift
// over the change is an hour longer or shorter.
//
// # A calendar that has ended
//
// Without weekly hours nothing is open after the last date of Open. What remains of an [Calendar.Add] then passes as if it were open all
// the time, so that a deadline comes too early rather than never.
package calendar
