package tour;

import android.app.Application;

public class TourApplication extends Application {
}
