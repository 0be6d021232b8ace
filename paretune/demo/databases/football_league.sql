CREATE TABLE clubs (club_id INTEGER PRIMARY KEY, name TEXT, city TEXT, founded INTEGER, points INTEGER);
CREATE TABLE players (player_id INTEGER PRIMARY KEY, name TEXT, position TEXT, age INTEGER, goals INTEGER,
club_id INTEGER, FOREIGN KEY (club_id) REFERENCES clubs(club_id));
CREATE TABLE matches (match_id INTEGER PRIMARY KEY, club_id INTEGER, opponent TEXT, result TEXT, crowd INTEGER,
FOREIGN KEY (club_id) REFERENCES clubs(club_id));

INSERT INTO clubs VALUES
(1, 'Rovers', 'Ashford', 1898, 41),
(2, 'United', 'Brenton', 1905, 36),
(3, 'Athletic', 'Ashford', 1921, 52),
(4, 'Wanderers', 'Calder', 1887, 28),
(5, 'City', 'Dunmore', 1934, 47),
(6, 'Rangers', 'Brenton', 1949, 19),
(7, 'Albion', 'Brenton', 1912, 33);

INSERT INTO players VALUES
(1, 'Silva', 'striker', 24, 17, 3),
(2, 'Kovac', 'keeper', 33, 0, 3),
(3, 'Mbeki', 'defender', 28, 3, 3),
(4, 'Larsen', 'striker', 21, 12, 1),
(5, 'Dumont', 'midfielder', 27, 6, 1),
(6, 'Ortega', 'keeper', 30, 0, 1),
(7, 'Nowak', 'striker', 29, 14, 5),
(8, 'Ferri', 'midfielder', 22, 8, 5),
(9, 'Tanaka', 'defender', 31, 1, 5),
(10, 'Jansen', 'defender', 19, 2, 2),
(11, 'Petrov', 'striker', 35, 9, 2),
(12, 'Haddad', 'midfielder', 26, 5, 4),
(13, 'Costa', 'striker', 23, 11, 4),
(14, 'Byrne', 'defender', 34, 4, 7),
(15, 'Aoki', 'midfielder', 20, 7, 3);

INSERT INTO matches VALUES
(1, 1, 'United', 'win', 8200),
(2, 1, 'City', 'loss', 9100),
(3, 3, 'Rovers', 'win', 12400),
(4, 3, 'Albion', 'draw', 10800),
(5, 5, 'Athletic', 'draw', 11500),
(6, 2, 'Rangers', 'win', 6100),
(7, 4, 'United', 'loss', 4300),
(8, 6, 'Athletic', 'loss', 3900),
(9, 7, 'Wanderers', 'draw', 5200),
(10, 5, 'Rangers', 'win', 9700),
(11, 3, 'United', 'draw', 13100),
(12, 2, 'Albion', 'loss', 5800),
(13, 4, 'Rovers', 'draw', 4700),
(14, 3, 'City', 'draw', 14900),
(15, 1, 'Wanderers', 'loss', 7600),
(16, 5, 'United', 'win', 10200);
